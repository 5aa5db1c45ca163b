"""The catheter network of Ambrosini et al. 2017, the peer that Gherardini et al. compare with.

Exact count of trainable parameters: 14,133,154.
"""

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import nn

AMBROSINI_WIDTHS = (32, 64, 128, 256, 512)


class ResidualPair(nn.Module):
    """conv3-BN-ReLU-conv3-BN, plus the input, ReLU; the width stays."""

    def __init__(self, channels: int) -> None:
        """Make a block of ``channels`` feature maps."""
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(channels, channels, 3, padding=1), nn.BatchNorm2d(channels), nn.ReLU(),
            nn.Conv2d(channels, channels, 3, padding=1), nn.BatchNorm2d(channels))

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """(batch, channels, height, width) to the same shape."""
        return torch.relu(features + self.body(features))


class AmbrosiniNet(nn.Module):
    """Residual U-net on three consecutive frames: down by strided 2x2 convolutions, up by up-sampling and conv 2x2.

    Takes (batch, 3, height, width), sides divisible by 16; a single frame (batch, 1, ...) is taken three times. Gives
    LOGITS (batch, 2, height, width): catheter and background.
    """

    def __init__(self, in_channels: int = 3, widths: Sequence[int] = AMBROSINI_WIDTHS) -> None:
        """Make the published network, or one of other widths."""
        super().__init__()
        self._in_channels = in_channels
        self.stem = nn.Conv2d(in_channels, widths[0], 1)
        self.encoder = nn.ModuleList(ResidualPair(width) for width in widths)
        self.down = nn.ModuleList(
            nn.Sequential(nn.Conv2d(width, deeper, 2, stride=2), nn.BatchNorm2d(deeper), nn.ReLU())
            for width, deeper in pairwise(widths))
        self.up = nn.ModuleList()
        self.decoder = nn.ModuleList()
        channels = widths[-1]
        for width in reversed(widths[:-1]):
            self.up.append(nn.Sequential(nn.Upsample(scale_factor=2, mode="nearest"), nn.ZeroPad2d((0, 1, 0, 1)),
                                         nn.Conv2d(channels, width, 2), nn.BatchNorm2d(width), nn.ReLU()))
            self.decoder.append(ResidualPair(2 * width))
            channels = 2 * width
        self.head = nn.Conv2d(channels, 2, 1)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Image (batch, 3 or 1, height, width) to logits (batch, 2, height, width)."""
        features = self.encoder[0](self.stem(image.expand(-1, self._in_channels, -1, -1)))
        skips = []
        for down, block in zip(self.down, list(self.encoder)[1:], strict=True):
            skips.append(features)
            features = block(down(features))
        for up, block in zip(self.up, self.decoder, strict=True):
            features = block(torch.cat([up(features), skips.pop()], dim=1))
        return self.head(features)
