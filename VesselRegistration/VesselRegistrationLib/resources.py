"""Where the files that travel with the extension lie."""

from pathlib import Path


def resource_directory(package: Path = Path(__file__).parent) -> Path:
    """A module's Resources folder: beside its package in source tree and Slicer, inside it where pip put it."""
    inside = package / "Resources"
    return inside if inside.is_dir() else package.parent / "Resources"
