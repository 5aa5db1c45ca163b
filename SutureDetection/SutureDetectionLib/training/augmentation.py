"""Random changes of images together with their points (Sharan et al., Section 4.1), one generator per image."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch.nn import functional

from ..formats.labels import Labels
from .frames import unpack_labels

_RGB_TO_YIQ = torch.tensor([[0.299, 0.587, 0.114], [0.596, -0.274, -0.322], [0.211, -0.523, 0.312]])


@dataclass(frozen=True)
class AugmentationRanges:
    """How much is changed, each with ``probability``; 0 or (1, 1) is nothing.

    Angles in degrees, ``shift`` as a share of the image, ``shear`` as tangent, ``hue`` as a share of the colour
    circle, ``channel_shift``, ``brightness`` and ``noise`` on values from 0 to 1, ``blur_px`` the largest spread.
    """

    turn_deg: float = 60.0
    shift: float = 0.1
    shear: float = 0.1
    zoom: tuple[float, float] = (1.0, 1.0)
    channel_shift: float = 0.01
    brightness: float = 0.2
    contrast: tuple[float, float] = (0.3, 0.5)
    saturation: tuple[float, float] = (0.5, 2.0)
    hue: float = 0.1
    gamma: tuple[float, float] = (1.0, 1.0)
    noise: float = 0.0
    blur_px: float = 0.0
    probability: float = 0.5


PAPER_RANGES = AugmentationRanges()
"""As printed; flips in both directions come with them. "Pixel shifting" of 1 % is taken as a shift of the values of a
channel."""

OUR_RANGES = replace(PAPER_RANGES, zoom=(0.8, 1.25), channel_shift=0.08, contrast=(0.6, 1.5), gamma=(0.6, 1.6),
                     hue=0.3, noise=0.04, blur_px=1.2)
"""More of what another endoscope changes: colour cast, gamma, contrast in both directions, noise, sharpness, scale."""


def augment(images: torch.Tensor, packed: torch.Tensor, generators: Sequence[torch.Generator],
            ranges: AugmentationRanges, part: int = 1) -> tuple[torch.Tensor, list[Labels]]:
    """Change images (batch, 3, height, width), 0 to 1, and their packed points (batch, MOST_POINTS, 7) together.

    ``part`` above 1 cuts 1/part of height and width out of each image, mostly around a point. Gives images
    (batch, 3, height/part, width/part) and the labels of each, some of them outside.
    """
    size = (images.shape[2] // part, images.shape[3] // part)
    moved, labels = [], []
    for image, entry, generator in zip(images, packed, generators, strict=True):
        before = unpack_labels(entry.cpu())
        matrix, shift = _random_map(image.shape[1:], size, before.points, generator, ranges)
        moved.append(_pull(image, matrix, shift, size))
        after = (before.points - shift) @ np.linalg.inv(matrix).T
        labels.append(Labels(after, before.kinds, before.partners))
    return torch.stack([_recolour(image, generator, ranges) for image, generator in
                        zip(moved, generators, strict=True)]), labels


def _random_map(shape: torch.Size, size: tuple[int, int], points: np.ndarray, generator: torch.Generator,
                ranges: AugmentationRanges) -> tuple[np.ndarray, np.ndarray]:
    """matrix (2, 2) and shift (2,): pixel (col, row) of the old image = matrix @ new pixel + shift."""
    draw = torch.rand(24, generator=generator).tolist()
    happens = [value < ranges.probability for value in draw[:8]]
    angle = math.radians(ranges.turn_deg) * (2.0 * draw[8] - 1.0) * happens[0]
    shear = ranges.shear * (2.0 * draw[9] - 1.0) * happens[1]
    zoom = _between(ranges.zoom, draw[10], happens[2], log=True)
    flip = np.diag([-1.0 if happens[3] else 1.0, -1.0 if happens[4] else 1.0])
    rotation = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    matrix = rotation @ np.array([[1.0, shear], [0.0, 1.0]]) @ flip / zoom
    old_size = np.array([shape[1], shape[0]], dtype=float)
    old_middle, new_middle = (old_size - 1.0) / 2.0, (np.array([size[1], size[0]]) - 1.0) / 2.0
    if size == tuple(shape):
        target = old_middle + ranges.shift * old_size * (2.0 * np.array(draw[11:13]) - 1.0) * happens[5]
    elif len(points) and draw[13] < 0.75:
        target = points[int(draw[14] * len(points))] + (np.array(draw[15:17]) - 0.5) * 0.7 * new_middle * 2.0
    else:
        target = np.array(draw[15:17]) * old_size
    return matrix, target - matrix @ new_middle


def _pull(image: torch.Tensor, matrix: np.ndarray, shift: np.ndarray, size: tuple[int, int]) -> torch.Tensor:
    """The image (3, h, w) seen through a map from new to old pixels, (3, *size); black where there is nothing."""
    rows, columns = torch.meshgrid(torch.arange(size[0], dtype=torch.float32),
                                   torch.arange(size[1], dtype=torch.float32), indexing="ij")
    old = torch.stack([columns, rows], dim=-1) @ torch.from_numpy(matrix.T).float() + torch.from_numpy(shift).float()
    grid = (2.0 * old + 1.0) / torch.tensor([image.shape[2], image.shape[1]]) - 1.0
    return functional.grid_sample(image[None], grid[None].to(image.device), align_corners=False)[0]


def _recolour(image: torch.Tensor, generator: torch.Generator, ranges: AugmentationRanges) -> torch.Tensor:
    draw = torch.rand(24, generator=generator).tolist()
    happens = [value < ranges.probability for value in draw[:8]]
    turn = 2.0 * math.pi * ranges.hue * (2.0 * draw[8] - 1.0) * happens[0]
    saturation = _between(ranges.saturation, draw[9], happens[1], log=True)
    chroma = saturation * torch.tensor([[math.cos(turn), -math.sin(turn)], [math.sin(turn), math.cos(turn)]])
    matrix = torch.linalg.inv(_RGB_TO_YIQ) @ torch.block_diag(torch.ones(1, 1), chroma) @ _RGB_TO_YIQ
    contrast = _between(ranges.contrast, draw[10], happens[2])
    lift = ranges.brightness * (2.0 * draw[11] - 1.0) * happens[3]
    casts = ranges.channel_shift * (2.0 * torch.tensor(draw[12:15]) - 1.0) * happens[4]
    colours = (matrix.to(image.device) @ image.flatten(1)).view_as(image)
    middle = colours.mean()
    colours = middle + contrast * (colours - middle) + (lift + casts).to(image.device)[:, None, None]
    colours = colours.clamp(0.0, 1.0) ** _between(ranges.gamma, draw[15], happens[5], log=True)
    if happens[6] and ranges.blur_px > 0:
        colours = _blurred(colours, max(0.2, ranges.blur_px * draw[16]))
    if happens[7] and ranges.noise > 0:
        grain = torch.randn(colours.shape, generator=generator).to(image.device)
        colours = (colours + ranges.noise * draw[17] * grain).clamp(0.0, 1.0)
    return colours


def _blurred(image: torch.Tensor, sigma: float) -> torch.Tensor:
    positions = torch.arange(-3, 4, dtype=image.dtype, device=image.device)
    line = torch.exp(-0.5 * (positions / sigma) ** 2)
    line = (line / line.sum()).expand(3, 1, 1, -1)
    padded = functional.pad(image[None], (3, 3, 3, 3), mode="replicate")
    return functional.conv2d(functional.conv2d(padded, line, groups=3), line.transpose(2, 3), groups=3)[0]


def _between(limits: tuple[float, float], share: float, happens: bool, log: bool = False) -> float:
    """A value between the limits, evenly or evenly in its logarithm; 1 where nothing happens."""
    if not happens:
        return 1.0
    if log:
        return limits[0] * (limits[1] / limits[0]) ** share
    return limits[0] + (limits[1] - limits[0]) * share
