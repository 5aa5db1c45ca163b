"""The registration pipeline: views and masks in, pose and measures out."""
