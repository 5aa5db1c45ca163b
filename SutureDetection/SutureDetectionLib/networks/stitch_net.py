"""Our suture network: where suture points are, to a fraction of a pixel, which kind, and which two make a stitch.

448,942 trainable parameters, everything at half the image size or less, and every normalisation directly behind its
convolution, so that it folds away exactly.
"""

from typing import NamedTuple

import torch
from torch import nn
from torch.nn import functional

WIDTHS = (24, 48, 96, 128)
PYRAMID_WIDTH = 32
_PRIOR_LOGIT = -4.0


class StitchMaps(NamedTuple):
    """Maps at half the image size.

    ``heat_logits`` (batch, 1, height, width), that there is a point, ``exit_logits`` (batch, 1, height, width), that a
    point here is an exit: together the heat maps of entries and of exits. They are apart because many points show
    plainly that they are there, but not which kind they are. ``offset`` (batch, 2, height, width), column and row in
    cells from the centre of the cell to the nearest point. ``pairing`` (batch, 2, height, width), column and row in
    PAIRING_UNIT_PX from the point near the cell to the other end of its stitch.
    """

    heat_logits: torch.Tensor
    exit_logits: torch.Tensor
    offset: torch.Tensor
    pairing: torch.Tensor


class StitchNet(nn.Module):
    """Stride-2 stem, encoder 24-48-96-128, a pyramid that adds from coarse to fine, four heads on its finest level.

    Takes RGB images (batch, 3, height, width), values 0 to 1, height and width divisible by 16.
    """

    def __init__(self, widths: tuple[int, ...] = WIDTHS, pyramid_width: int = PYRAMID_WIDTH) -> None:
        """The network as it is trained, or one of other widths."""
        super().__init__()
        self.encoder = nn.ModuleList()
        channels = 3
        for width in widths:
            self.encoder.append(nn.Sequential(convolution(channels, width, stride=2), convolution(width, width)))
            channels = width
        self.lateral = nn.ModuleList(nn.Conv2d(width, pyramid_width, 1) for width in widths)
        self.smooth = convolution(pyramid_width, pyramid_width)
        self.before_heads = convolution(pyramid_width, pyramid_width)
        self.heat = nn.Conv2d(pyramid_width, 1, 1)
        self.exit = nn.Conv2d(pyramid_width, 1, 1)
        self.offset = nn.Conv2d(pyramid_width, 2, 1)
        self.pairing = nn.Conv2d(pyramid_width, 2, 1)
        nn.init.constant_(self.heat.bias, _PRIOR_LOGIT)  # type: ignore[arg-type]

    def forward(self, image: torch.Tensor) -> StitchMaps:
        """Image (batch, 3, height, width) to maps of half the size."""
        levels = []
        features = 2.0 * image - 1.0
        for block in self.encoder:
            features = block(features)
            levels.append(features)
        merged = self.lateral[-1](levels[-1])
        for number in range(len(levels) - 2, -1, -1):
            if number == 0:
                merged = self.smooth(functional.relu_(merged))  # before the last step, where it costs a fourth
            larger = functional.interpolate(merged, scale_factor=2.0, mode="nearest")
            merged = larger.add_(self.lateral[number](levels[number]))
        features = self.before_heads(functional.relu_(merged))
        return StitchMaps(self.heat(features), self.exit(features), self.offset(features), self.pairing(features))


class StackedStitchNet(nn.Module):
    """The network with all its maps in one tensor (batch, 6, height, width), for inference engines."""

    def __init__(self, network: StitchNet) -> None:
        """Wrap a network."""
        super().__init__()
        self.network = network

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Image (batch, 3, height, width) to the stacked maps, in the order of ``StitchMaps``."""
        return stacked(self.network(image))


def stacked(maps: StitchMaps) -> torch.Tensor:
    """All maps in one tensor (batch, 6, height, width)."""
    return torch.cat([maps.heat_logits, maps.exit_logits, maps.offset, maps.pairing], dim=1)


def convolution(in_channels: int, out_channels: int, stride: int = 1) -> nn.Sequential:
    """conv3-BN-ReLU."""
    return nn.Sequential(nn.Conv2d(in_channels, out_channels, 3, stride, padding=1, bias=False),
                         nn.BatchNorm2d(out_channels), nn.ReLU(inplace=True))
