"""The matching network and its spatial transformer (Li et al., Section II-C, Fig. 4; Jaderberg et al. 2015).

Exact count of trainable parameters in the published form: 68,577,318, of which 67.1 million are the first fully
connected layer.
"""

from collections.abc import Sequence

import torch
from torch import nn
from torch.nn import functional

PUBLISHED_CHANNELS = (32, 64, 64, 128, 128, 128, 128, 256, 256)
PUBLISHED_HIDDEN = 1024
INPUT_SIZE = 256
_POOL_AFTER = (2, 4, 6, 8)
_IDENTITY = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)

PUBLISHED: dict[str, object] = {"channels": PUBLISHED_CHANNELS, "hidden": PUBLISHED_HIDDEN}
COMPACT: dict[str, object] = {"channels": (8, 16, 16, 32, 32, 32, 32, 64, 64), "hidden": 64}
"""A quarter of the published widths and a narrower first fully connected layer, the same topology; its weights fit in
5 MB. Position survives: all 16x16 cells of the last feature maps go to the fully connected layer, none are averaged."""


class AffineCNN(nn.Module):
    """Nine convolutions (5x5, then 3x3), each with batch norm and ReLU, four max-pools, two fully connected layers.

    Takes (batch, 2, 256, 256), channel 0 the moving and channel 1 the fixed image, and gives theta (batch, 2, 3) as
    ``torch.nn.functional.affine_grid`` wants it: it maps OUTPUT (fixed) to INPUT (moving) positions in -1..1, so it is
    the inverse of the paper's Eq. 4. A new network answers with the identity.
    """

    def __init__(self, channels: Sequence[int] = PUBLISHED_CHANNELS, hidden: int = PUBLISHED_HIDDEN) -> None:
        """Make the published network, or a compact one of the same topology (nine widths and the hidden width)."""
        super().__init__()
        layers: list[nn.Module] = []
        width = 2
        for index, next_width in enumerate(channels):
            kernel = 5 if index == 0 else 3
            layers += [nn.Conv2d(width, next_width, kernel, padding=kernel // 2), nn.BatchNorm2d(next_width),
                       nn.ReLU(inplace=True)]
            if index in _POOL_AFTER:
                layers.append(nn.MaxPool2d(2))
            width = next_width
        self.features = nn.Sequential(*layers)
        cells = (INPUT_SIZE // 2 ** len(_POOL_AFTER)) ** 2
        self.hidden = nn.Linear(width * cells, hidden)
        self.answer = nn.Linear(hidden, len(_IDENTITY))
        nn.init.zeros_(self.answer.weight)
        with torch.no_grad():
            self.answer.bias.copy_(torch.tensor(_IDENTITY))

    def forward(self, pair: torch.Tensor) -> torch.Tensor:
        """Pair (batch, 2, 256, 256) of moving and fixed image to theta (batch, 2, 3)."""
        features = self.features(pair).flatten(1)
        return self.answer(torch.relu(self.hidden(features))).view(-1, 2, 3)


def warp(moving: torch.Tensor, theta: torch.Tensor, size: tuple[int, int] | None = None) -> torch.Tensor:
    """The spatial transformer: resample moving images on the fixed grid, bilinear, zero outside.

    ``moving`` (batch, channels, height, width), ``theta`` (batch, 2, 3) from fixed to moving in -1..1 where -1 and 1
    are the image's edges, not the centres of the outermost pixels (``align_corners=False``). ``size`` (height, width)
    of the result, that of the moving image where not given.
    """
    height, width = size or (moving.shape[-2], moving.shape[-1])
    grid = functional.affine_grid(theta, [moving.shape[0], moving.shape[1], height, width], align_corners=False)
    return functional.grid_sample(moving, grid, mode="bilinear", padding_mode="zeros", align_corners=False)
