"""Algorithms of the VesselRegistration module: DICOM and mesh -> geometry -> masks -> registration -> result -> scene.

Nothing here but the package ``scene`` knows of Slicer; numpy or torch arrays go in and come out.
"""

__version__ = "0.1.0"
