"""Where the files that travel with the extension lie: the same place in the source tree and in an installed Slicer."""

from pathlib import Path


def resource_directory() -> Path:
    """The module's Resources folder, beside this package."""
    return Path(__file__).parent.parent / "Resources"
