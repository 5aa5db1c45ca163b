"""Our small matching network: two silhouettes to a bounded affine.

It looks at 128x128, keeps position (all 8x8 cells of the last maps go to the fully connected layer, none are averaged)
and answers with bounded motion parameters, so that no answer can mirror, flatten or fling the model away.
"""

import torch
from torch import nn
from torch.nn import functional

from ..matching.motion import PARAMETERS, invert, limits, motion_matrices
from .fluoro_net import Residual, conv_norm_relu

MATCH_SIZE = 128
_WIDTHS = (24, 48, 64, 96)
_NARROW = 32
_CELLS = (MATCH_SIZE // 2 ** len(_WIDTHS)) ** 2


class MatchNet(nn.Module):
    """Takes (batch, 2, height, width), a square pair of moving and fixed image, and gives theta (batch, 2, 3).

    theta maps fixed to moving positions in -1..1, as ``affine_grid`` wants it. A new network answers with the identity.
    """

    def __init__(self, hidden: int = 192) -> None:
        """``hidden`` is the width of the fully connected layer."""
        super().__init__()
        layers: list[nn.Module] = []
        channels = 2
        for width in _WIDTHS:
            layers += [conv_norm_relu(channels, width, 2), Residual(width)]
            channels = width
        self.features = nn.Sequential(*layers, nn.Conv2d(channels, _NARROW, 1))
        self.hidden = nn.Linear(_NARROW * _CELLS, hidden)
        self.answer = nn.Linear(hidden, PARAMETERS)
        nn.init.zeros_(self.answer.weight)
        nn.init.zeros_(self.answer.bias)

    def motion(self, pair: torch.Tensor) -> torch.Tensor:
        """Pair to moving -> fixed motion parameters (batch, 6) of ``matching.motion``."""
        features = self.features(functional.adaptive_avg_pool2d(pair, MATCH_SIZE)).flatten(1)
        answer = self.answer(torch.relu(self.hidden(features)))
        return limits(answer) * torch.tanh(answer)

    def forward(self, pair: torch.Tensor) -> torch.Tensor:
        """Pair (batch, 2, side, side) to theta (batch, 2, 3)."""
        return invert(motion_matrices(self.motion(pair).float()))
