"""The deep residual U-net that finds vessels in fluoroscopy (Li et al., Section II-B; Lazo et al. 2021).

Exact count of trainable parameters: 588,833 with one input channel, 589,121 with three.
"""

from collections.abc import Sequence

import torch
from torch import nn

WIDTHS = (16, 32, 48, 64)
BRIDGE_WIDTH = 64


class ResidualBlock(nn.Module):
    """conv3-BN-ReLU, then two parallel paths conv3-ReLU-BN and conv3-BN-ReLU, their sum, ReLU."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        """Make a block from ``in_channels`` to ``out_channels`` feature maps of the same size."""
        super().__init__()
        self.entry = nn.Conv2d(in_channels, out_channels, 3, padding=1)
        self.entry_norm = nn.BatchNorm2d(out_channels)
        self.first = nn.Conv2d(out_channels, out_channels, 3, padding=1)
        self.first_norm = nn.BatchNorm2d(out_channels)
        self.second = nn.Conv2d(out_channels, out_channels, 3, padding=1)
        self.second_norm = nn.BatchNorm2d(out_channels)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """(batch, in, height, width) to (batch, out, height, width)."""
        features = torch.relu(self.entry_norm(self.entry(features)))
        first = self.first_norm(torch.relu(self.first(features)))
        second = torch.relu(self.second_norm(self.second(features)))
        return torch.relu(first + second)


class DRUNet(nn.Module):
    """Encoder 16-32-48-64, bridge 64, decoder by up-sampling and concatenation, 1x1 convolution.

    Takes (batch, channels, height, width) with height and width divisible by 16, the paper's size is 256x256, and gives
    LOGITS of the same size with one channel, which is what stable losses want; ``predict`` adds the sigmoid.
    """

    def __init__(self, in_channels: int = 1, widths: Sequence[int] = WIDTHS, bridge_width: int = BRIDGE_WIDTH) -> None:
        """Make the published network, or one of other widths."""
        super().__init__()
        self.encoder = nn.ModuleList()
        channels = in_channels
        for width in widths:
            self.encoder.append(ResidualBlock(channels, width))
            channels = width
        self.pool = nn.MaxPool2d(2)
        self.bridge = ResidualBlock(channels, bridge_width)
        channels = bridge_width
        self.up = nn.Upsample(scale_factor=2, mode="nearest")
        self.decoder = nn.ModuleList()
        for width in reversed(widths):
            self.decoder.append(ResidualBlock(channels + width, width))
            channels = width
        self.head = nn.Conv2d(channels, 1, 1)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Image (batch, channels, height, width) to logits (batch, 1, height, width)."""
        skips = []
        features = image
        for block in self.encoder:
            features = block(features)
            skips.append(features)
            features = self.pool(features)
        features = self.bridge(features)
        for block, skip in zip(self.decoder, reversed(skips), strict=True):
            features = block(torch.cat([self.up(features), skip], dim=1))
        return self.head(features)

    @torch.inference_mode()
    def predict(self, image: torch.Tensor) -> torch.Tensor:
        """Probability of vessel (batch, 1, height, width), 0 to 1, in evaluation mode (the mode is put back)."""
        was_training = self.training
        self.eval()
        try:
            return torch.sigmoid(self(image))
        finally:
            self.train(was_training)
