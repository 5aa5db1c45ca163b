"""The suture network of Sharan et al. (Section 3.2): U-Net, Gaussian layer, convolutional soft-argmax.

Exact count of trainable parameters: 1,082,033.
"""

from typing import NamedTuple

import torch
from torch import nn
from torch.nn import functional

BASELINE = "baseline"
VARIANT_1 = "variant-1"
VARIANT_2 = "variant-2"
VARIANTS = (BASELINE, VARIANT_1, VARIANT_2)

WIDTHS = (16, 32, 64, 128, 128)
DROPOUT = 0.1
"""Share of channels dropped in training. The paper does not print it; taken here."""

_WINDOW = 3


class HeatMaps(NamedTuple):
    """Output stages 1 and 2, each (batch, 1, height, width), 0 to 1; the same one twice for the baseline."""

    stage_1: torch.Tensor
    stage_2: torch.Tensor


class DoubleConvolution(nn.Module):
    """Twice conv3-ReLU-BN, with dropout of whole channels in between."""

    def __init__(self, in_channels: int, middle: int, out_channels: int, dropout: float) -> None:
        """From ``in_channels`` over ``middle`` to ``out_channels`` maps of the same size."""
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(in_channels, middle, 3, padding=1), nn.ReLU(), nn.BatchNorm2d(middle), nn.Dropout2d(dropout),
            nn.Conv2d(middle, out_channels, 3, padding=1), nn.ReLU(), nn.BatchNorm2d(out_channels))

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """(batch, in, height, width) to (batch, out, height, width)."""
        return self.layers(features)


class SutureUNet(nn.Module):
    """Encoder 16-32-64-128-128, decoder by bilinear up-sampling and concatenation, 1x1 convolution, sigmoid.

    Takes RGB images (batch, 3, height, width), values 0 to 1, height and width divisible by 16; the paper's size is
    288x512. The variants differ in what follows the sigmoid (none of it is trained) and in their losses.
    """

    gaussian: torch.Tensor

    def __init__(self, variant: str = BASELINE, sigma_2: float = 1.0, dropout: float = DROPOUT) -> None:
        """``variant`` is one of VARIANTS, ``sigma_2`` the spread of the Gaussian layer in pixels."""
        super().__init__()
        if variant not in VARIANTS:
            raise ValueError(f"unknown variant {variant}")
        self.variant = variant
        self.encoder = nn.ModuleList()
        channels = 3
        for width in WIDTHS:
            self.encoder.append(DoubleConvolution(channels, width, width, dropout))
            channels = width
        self.pool = nn.MaxPool2d(2)
        self.up = nn.Upsample(scale_factor=2, mode="bilinear", align_corners=True)
        self.decoder = nn.ModuleList()
        below = (*WIDTHS[-3::-1], WIDTHS[0])  # each step already narrows to the width of the next skip
        for skip, width in zip(WIDTHS[-2::-1], below, strict=True):
            joined = channels + skip
            self.decoder.append(DoubleConvolution(joined, joined // 2, width, dropout))
            channels = width
        self.head = nn.Conv2d(channels, 1, 1)
        self.register_buffer("gaussian", gaussian_window(sigma_2), persistent=False)

    def logits(self, image: torch.Tensor) -> torch.Tensor:
        """What the sigmoid is applied to, (batch, 1, height, width)."""
        skips = []
        features = image
        for number, block in enumerate(self.encoder):
            features = block(features if number == 0 else self.pool(features))
            skips.append(features)
        for block, skip in zip(self.decoder, skips[-2::-1], strict=True):
            features = block(torch.cat([skip, self.up(features)], dim=1))
        return self.head(features)

    def stages(self, logits: torch.Tensor) -> HeatMaps:
        """Sigmoid and what the variant puts behind it."""
        heat = torch.sigmoid(logits)
        if self.variant == BASELINE:
            return HeatMaps(heat, heat)
        smooth = gaussian_layer(heat, self.gaussian)
        return HeatMaps(smooth, convolutional_soft_argmax(smooth))

    def forward(self, image: torch.Tensor) -> HeatMaps:
        """Image (batch, 3, height, width) to both output stages, in single precision."""
        return self.stages(self.logits(image).float())


def gaussian_window(sigma: float) -> torch.Tensor:
    """A Gaussian of spread ``sigma`` pixels on 3x3 pixels with sum 1, (1, 1, 3, 3)."""
    positions = torch.arange(_WINDOW, dtype=torch.float32) - _WINDOW // 2
    line = torch.exp(-0.5 * (positions / sigma) ** 2)
    window = line[:, None] * line[None, :]
    return (window / window.sum())[None, None]


def gaussian_layer(heat: torch.Tensor, window: torch.Tensor) -> torch.Tensor:
    """Output stage 1: ``heat`` (batch, 1, height, width) smoothed by a window (1, 1, 3, 3), mirrored at the edge."""
    return functional.conv2d(functional.pad(heat, (1, 1, 1, 1), mode="reflect"), window.to(heat))


def convolutional_soft_argmax(heat: torch.Tensor) -> torch.Tensor:
    """Output stage 2: in every 3x3 window, stride 1, the mean value weighted by the softmax of the values.

    ``heat`` (batch, 1, height, width). Temperature 1 on values from 0 to 1 weights the largest value by at most e
    times the smallest, so that this is a mild low-pass rather than a non-maximum suppression.
    """
    weight = torch.exp(heat - heat.amax(dim=(2, 3), keepdim=True).detach())
    window = heat.new_ones(1, 1, _WINDOW, _WINDOW)
    total = functional.conv2d(weight, window, padding=1)
    return functional.conv2d(weight * heat, window, padding=1) / total
