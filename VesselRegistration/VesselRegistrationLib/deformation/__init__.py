"""Bending of a registered vessel model that rigid motion cannot explain, as a stiff wire causes it. Optional."""
