"""The command vessel-registration."""
