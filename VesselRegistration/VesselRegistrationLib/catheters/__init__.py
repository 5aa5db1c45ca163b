"""Catheters and guidewires as curves, from the mask that a network gives."""
