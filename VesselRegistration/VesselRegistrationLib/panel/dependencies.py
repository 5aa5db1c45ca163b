"""Python packages that Slicer does not bring: asked for when they are first needed, never at start-up."""

import importlib.util

import slicer

from ..errors import UserError

PACKAGES = {"monai": "monai", "safetensors": "safetensors", "skimage": "scikit-image", "gdcm": "python-gdcm"}
"""Import name and name on the package index."""


def ensurePackages() -> None:
    """Install what is missing, after asking the user. Raises UserError where something stays missing.

    PyTorch comes through the extension of that name, which knows the build for this computer, and before MONAI, which
    would bring one of its own.
    """
    if importlib.util.find_spec("torch") is None:
        _installTorch()
    missing = [package for module, package in PACKAGES.items() if importlib.util.find_spec(module) is None]
    if missing:
        slicer.packaging.pip_ensure(missing)
    still = [package for module, package in PACKAGES.items() if importlib.util.find_spec(module) is None]
    if still:
        raise UserError(f"The Python packages {', '.join(still)} are missing: allow their installation and try again.")


def _installTorch() -> None:
    try:
        import PyTorchUtils  # a module of the PyTorch extension
    except ModuleNotFoundError:
        raise UserError("The extension PyTorch is missing: install it in the Extensions Manager and restart "
                        "Slicer.") from None
    if PyTorchUtils.PyTorchUtilsLogic().installTorch(askConfirmation=True, torchVersionRequirement=">=2.13") is None:
        raise UserError("PyTorch was not installed: allow its installation and try again.")
