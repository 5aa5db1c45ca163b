"""From the maps that networks give to suture points with confidence, kind and pairs."""
