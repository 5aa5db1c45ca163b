"""The pictures on the buttons."""

from typing import Any

import qt

from ..resources import resource_directory

ICONS = {
    "sampleButton": "Sample", "loadModelButton": "Open", "loadXrayButton": "Open", "loadSecondXrayButton": "Open",
    "wholeImageButton": "WholeImage", "placeRoiButton": "Region", "findVesselsButton": "Vessels",
    "findDevicesButton": "Devices", "editMaskButton": "Edit", "dropEditsButton": "Undo",
    "markModelButton": "Landmark", "markXrayButton": "Landmark",
    "markSecondXrayButton": "Landmark", "registerButton": "Register", "adviseButton": "SecondView",
    "undoButton": "Undo", "saveReportButton": "Save", "savePoseButton": "Save", "saveDicomButton": "Save",
    "trackButton": "Track", "playButton": "Play", "liveButton": "Live",
}
"""Button and name of its picture; they are legible on light and dark."""


def setIcons(ui: Any) -> None:
    """Put the pictures on the buttons of the panel."""
    folder = resource_directory() / "Icons"
    for button, picture in ICONS.items():
        getattr(ui, button).icon = qt.QIcon(str(folder / f"VesselRegistration{picture}.png"))
