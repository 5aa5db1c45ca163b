"""Experiment 1 of Gherardini et al. on simulated frames: train on some domains, fine-tune and test on others."""
