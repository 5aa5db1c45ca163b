"""Where the files that travel with the extension lie."""

from pathlib import Path


def resource_directory() -> Path:
    """The module's Resources folder: beside this package in source tree and Slicer, inside it where pip put it."""
    package = Path(__file__).parent
    inside = package / "Resources"
    return inside if inside.is_dir() else package.parent / "Resources"
