"""Python packages that Slicer does not bring: asked for when they are first needed, never at start-up."""

import importlib.util
from collections.abc import Mapping

from ..errors import UserError

READING = {"gdcm": "python-gdcm", "skimage": "scikit-image"}
NETWORKS = {"monai": "monai", "safetensors": "safetensors"}
DICOM_WRITING = {"highdicom": "highdicom"}
SUTURES = {"PIL": "pillow", "safetensors": "safetensors"}
VIDEOS = {"av": "av"}
"""Import name and name on the package index."""


def ensureReading() -> None:
    """Install what reading X-rays needs, where it is missing. Raises UserError where it stays missing."""
    _ensure(READING)


def ensureNetworks() -> None:
    """Install what registration needs, where it is missing. Raises UserError where something stays missing.

    PyTorch comes through the extension of that name, which knows the build for this computer, and before MONAI, which
    would bring one of its own.
    """
    if importlib.util.find_spec("torch") is None:
        _installTorch()
    _ensure(READING | NETWORKS)


def ensureDicomWriting() -> None:
    """Install what writing DICOM needs, where it is missing. Raises UserError where it stays missing."""
    _ensure(READING | DICOM_WRITING)


def ensureSutures() -> None:
    """Install what finding sutures needs, where it is missing. Raises UserError where something stays missing."""
    if importlib.util.find_spec("torch") is None:
        _installTorch()
    _ensure(SUTURES)


def ensureVideos() -> None:
    """Install what reading videos needs, where it is missing. Raises UserError where it stays missing."""
    _ensure(VIDEOS)


def _ensure(packages: Mapping[str, str]) -> None:
    missing = _missing(packages)
    if missing:
        import slicer.packaging

        try:
            slicer.packaging.pip_ensure(missing)
        except Exception as problem:  # declined, or pip failed: Slicer raises errors of several kinds
            raise UserError(f"The Python packages {', '.join(missing)} could not be installed: allow their "
                            "installation, with a network connection, and try again.") from problem
    still = _missing(packages)
    if still:
        raise UserError(f"The Python packages {', '.join(still)} are missing: allow their installation and try again.")


def _missing(packages: Mapping[str, str]) -> list[str]:
    importlib.invalidate_caches()
    return [package for module, package in packages.items() if importlib.util.find_spec(module) is None]


def _installTorch() -> None:
    try:
        import PyTorchUtils  # a module of the PyTorch extension
    except ModuleNotFoundError:
        raise UserError("The extension PyTorch is missing: install it in the Extensions Manager and restart "
                        "Slicer.") from None
    if PyTorchUtils.PyTorchUtilsLogic().installTorch(askConfirmation=True, torchVersionRequirement=">=2.13") is None:
        raise UserError("PyTorch was not installed: allow its installation and try again.")
