"""The light U-Net that finds catheters in fluoroscopy (Gherardini et al. 2020).

Reconstructed from the paper's numbers, all of which it meets: 687,634 trainable parameters and 55 Keras layers.
"""

from collections.abc import Sequence

import torch
from torch import nn

LIGHT_WIDTHS = (8, 16, 32, 48, 96, 192)


class ConvBlock(nn.Sequential):
    """conv3 with bias, batch norm, ReLU."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        """Make a block from ``in_channels`` to ``out_channels`` feature maps of the same size."""
        super().__init__(nn.Conv2d(in_channels, out_channels, 3, padding=1), nn.BatchNorm2d(out_channels), nn.ReLU())


class LightUNet(nn.Module):
    """Six levels of one convolution each; the decoder up-samples, narrows by conv-ReLU, concatenates, conv-BN-ReLU.

    Takes (batch, 1, height, width), sides divisible by 32, and gives LOGITS (batch, 2, height, width): catheter and
    background, which the paper trains as two complementary outputs of a sigmoid.
    """

    def __init__(self, in_channels: int = 1, widths: Sequence[int] = LIGHT_WIDTHS) -> None:
        """Make the published network, or one of other widths."""
        super().__init__()
        self.encoder = nn.ModuleList()
        channels = in_channels
        for width in widths:
            self.encoder.append(ConvBlock(channels, width))
            channels = width
        self.pool = nn.MaxPool2d(2)
        self.up = nn.Upsample(scale_factor=2, mode="nearest")
        self.narrow = nn.ModuleList()
        self.decoder = nn.ModuleList()
        for width in reversed(widths[:-1]):
            self.narrow.append(nn.Sequential(nn.Conv2d(channels, width, 3, padding=1), nn.ReLU()))
            self.decoder.append(ConvBlock(2 * width, width))
            channels = width
        self.head = nn.Conv2d(channels, 2, 3, padding=1)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Image (batch, 1, height, width) to logits (batch, 2, height, width)."""
        skips: list[torch.Tensor] = []
        features = image
        for level, block in enumerate(self.encoder):
            features = block(features if level == 0 else self.pool(features))
            skips.append(features)
        skips.pop()
        for narrow, block in zip(self.narrow, self.decoder, strict=True):
            features = block(torch.cat([skips.pop(), narrow(self.up(features))], dim=1))
        return self.head(features)
