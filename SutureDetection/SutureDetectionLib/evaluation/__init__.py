"""Scores against labels, folds by surgery, and the paper's tables on simulated frames."""
