"""Matching a projected model to a vessel mask in the image plane."""
