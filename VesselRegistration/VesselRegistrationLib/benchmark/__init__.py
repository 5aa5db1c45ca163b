"""A public, seeded benchmark of the pose solver, with a renderer of its own and with baselines."""
