"""The suture networks by the names that checkpoints and model cards use."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from VesselRegistrationLib.errors import UserError

if TYPE_CHECKING:
    from torch import nn

SUTURE_UNET = "SutureUNet"
STITCH_NET = "StitchNet"


def build_network(architecture: str, parameters: Mapping[str, Any]) -> nn.Module:
    """An untrained network. Raises UserError for an architecture that is not known."""
    from .stitch_net import StitchNet
    from .suture_unet import SutureUNet

    known: dict[str, type[nn.Module]] = {SUTURE_UNET: SutureUNet, STITCH_NET: StitchNet}
    if architecture not in known:
        raise UserError(f"The network architecture '{architecture}' is not known: update the extension.")
    return known[architecture](**parameters)
