"""The papers' networks, their weights and their inference."""
