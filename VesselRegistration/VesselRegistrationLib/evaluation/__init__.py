"""Scores of the pipeline on cases with known truth."""
