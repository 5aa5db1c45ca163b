"""Frames from pictures, folders, DICOM files and videos, one or two eyes."""
