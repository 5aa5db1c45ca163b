"""Frames, points, comparisons and reconstructions as nodes of a scene. Nothing here knows of widgets."""
