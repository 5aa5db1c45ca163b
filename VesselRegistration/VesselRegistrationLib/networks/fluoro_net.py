"""Our small network for fluoroscopy: vessels and devices together, or one of them.

The image enters in 2x2 blocks, so that no convolution runs at full size, as it is and with its local contrast evened
out, in which a thin wire stands out wherever it lies; a residual encoder; a decoder that adds (feature pyramid) instead
of concatenating; the head gives 2x2 pixels at a time. Batch norm comes before ReLU everywhere, so that it folds exactly
into the convolutions.
"""

from collections.abc import Sequence

import torch
from torch import nn
from torch.nn import functional

FLUORO_WIDTHS = (16, 24, 48, 64, 96)
FLUORO_DEPTHS = (0, 1, 2, 2, 1)
PYRAMID_WIDTH = 24
_NEIGHBOURHOOD = 16
_FAINTEST = 0.01


def conv_norm_relu(in_channels: int, out_channels: int, stride: int = 1) -> nn.Sequential:
    """conv3 without bias, batch norm, ReLU."""
    return nn.Sequential(nn.Conv2d(in_channels, out_channels, 3, stride, 1, bias=False),
                         nn.BatchNorm2d(out_channels), nn.ReLU())


class Residual(nn.Module):
    """conv-BN-ReLU-conv-BN, plus the input, ReLU."""

    def __init__(self, channels: int) -> None:
        """Make a block of ``channels`` feature maps."""
        super().__init__()
        self.body = nn.Sequential(*conv_norm_relu(channels, channels),
                                  nn.Conv2d(channels, channels, 3, padding=1, bias=False), nn.BatchNorm2d(channels))

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """(batch, channels, height, width) to the same shape."""
        return torch.relu(features + self.body(features))


def contrast_blocks(image: torch.Tensor) -> torch.Tensor:
    """2x2 blocks of an image and of its local contrast (batch, 1, h, w) -> (batch, 8, h / 2, w / 2), sides by 16.

    Local contrast is the difference from the mean of the surroundings in units of their standard deviation; both are
    computed in cells of 16x16 pixels and interpolated to the blocks only, which a CPU does in no time.
    """
    blocks = functional.pixel_unshuffle(image, 2)
    cells = functional.avg_pool2d(torch.cat([image, image * image], dim=1), _NEIGHBOURHOOD)
    mean = cells[:, :1]
    gain = torch.rsqrt((cells[:, 1:] - mean * mean).clamp(min=0.0) + _FAINTEST * _FAINTEST)
    around = functional.interpolate(torch.cat([mean, gain], dim=1), scale_factor=_NEIGHBOURHOOD // 2, mode="bilinear",
                                    align_corners=False)
    return torch.cat([blocks, (blocks - around[:, :1]) * around[:, 1:]], dim=1)


class FluoroNet(nn.Module):
    """Takes (batch, 1, height, width), sides divisible by 32, and gives LOGITS (batch, outputs, height, width)."""

    def __init__(self, outputs: int = 2, widths: Sequence[int] = FLUORO_WIDTHS, depths: Sequence[int] = FLUORO_DEPTHS,
                 pyramid: int = PYRAMID_WIDTH) -> None:
        """``outputs`` maps; ``depths`` residual blocks at each of the levels of ``widths``."""
        super().__init__()
        self.encoder = nn.ModuleList()
        channels = 8
        for level, (width, depth) in enumerate(zip(widths, depths, strict=True)):
            self.encoder.append(nn.Sequential(conv_norm_relu(channels, width, 1 if level == 0 else 2),
                                              *(Residual(width) for _ in range(depth))))
            channels = width
        self.lateral = nn.ModuleList(nn.Conv2d(width, pyramid, 1) for width in widths[1:])
        self.smooth = nn.ModuleList(conv_norm_relu(pyramid, pyramid) for _ in widths[2:])
        self.fine = nn.Conv2d(widths[0], widths[0], 1)
        self.coarse = nn.Conv2d(pyramid, widths[0], 1)
        self.up = nn.Upsample(scale_factor=2, mode="nearest")
        self.head = nn.Sequential(conv_norm_relu(widths[0], widths[0]), nn.Conv2d(widths[0], 4 * outputs, 3, padding=1))

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Image (batch, 1, height, width) to logits (batch, outputs, height, width)."""
        levels = []
        features = contrast_blocks(image)
        for block in self.encoder:
            features = block(features)
            levels.append(features)
        features = self.lateral[-1](levels[-1])
        for lateral, smooth, level in zip(reversed(self.lateral[:-1]), reversed(self.smooth), reversed(levels[1:-1]),
                                          strict=True):
            features = smooth(lateral(level) + self.up(features))
        features = self.fine(levels[0]) + self.up(self.coarse(features))
        return functional.pixel_shuffle(self.head(features), 2)
