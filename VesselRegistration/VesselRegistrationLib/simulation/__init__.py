"""Seeded fluoroscopy with known truth: anatomies, devices, X-ray physics, XA objects."""
