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


def autocast(device: torch.device) -> torch.autocast:
    """bfloat16 arithmetic for training where the processor computes it natively, else none."""
    import torch

    if device.type == "cpu":
        capabilities = torch.cpu.get_capabilities()
        native = bool(capabilities.get("avx512_bf16") or capabilities.get("amx_bf16"))
    else:
        native = torch.cuda.is_bf16_supported()
    return torch.autocast(device.type, torch.bfloat16, enabled=native)
