"""Where a network runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import UserError

if TYPE_CHECKING:
    import torch

DEVICES = ("auto", "cpu", "cuda")


def choose_device(name: str) -> torch.device:
    """``auto`` takes the GPU where there is one. Raises UserError for an unknown name or a GPU that is not there."""
    import torch

    if name not in DEVICES:
        raise UserError(f"The device '{name}' is not known: choose one of {', '.join(DEVICES)}.")
    available = torch.cuda.is_available()
    if name == "cuda" and not available:
        raise UserError("There is no CUDA device that PyTorch can use here: choose --device cpu or auto.")
    return torch.device("cpu" if name == "cpu" or not available else "cuda")
