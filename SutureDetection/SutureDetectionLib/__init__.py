"""Algorithms of the SutureDetection module: endoscopy frames -> suture points -> stitches -> tracks -> result.

Nothing here but the package ``scene`` knows of Slicer; numpy or torch arrays go in and come out. Errors, progress,
weights files and the training loop are those of VesselRegistrationLib.
"""

__version__ = "0.1.0"

HEIGHT = 288
WIDTH = 512
"""Size in pixels of the images that the networks see (Sharan et al., Section 3.2)."""

ENTRY = 0
EXIT = 1
UNKNOWN_KIND = -1
KIND_NAMES = {ENTRY: "entry", EXIT: "exit", UNKNOWN_KIND: "unknown"}
"""Where the thread goes into the tissue, and where it comes out; networks of one heat map cannot tell."""
