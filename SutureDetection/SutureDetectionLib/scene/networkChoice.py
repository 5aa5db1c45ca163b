"""Which network there is to detect with."""

from pathlib import Path

from VesselRegistrationLib.networks.weights import CARD_SUFFIX
from VesselRegistrationLib.resources import resource_directory

from ..detection.detector import SHIPPED


def missingNetwork(weights: Path | None) -> str:
    """Why there is no network to detect with, in one sentence; empty where there is one. None is the shipped one."""
    shipped = resource_directory(Path(__file__).parents[1]) / "Weights" / f"{SHIPPED}{CARD_SUFFIX}"
    if weights is None and not shipped.is_file():
        return "No network comes with this installation: choose the folder of a training, or update the extension."
    if weights is not None and not weights.exists():
        return f"{weights} does not exist: choose the folder of a training."
    return ""
