"""The same suture points through the frames of a video."""
