"""Vessel surface meshes: reading, checking, mending."""
