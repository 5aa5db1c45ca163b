"""Changes of an X-ray's look that no renderer setting of the training domain makes: polarity, borders, tone, zoom.

They teach a network what does not matter. Frames of other laboratories come inverted, with borders nobody declares,
with display curves, blurred; and where a network looks at full resolution, all is twice as large.
"""

import torch
from torch.nn import functional

from ..networks.affine_cnn import warp
from ..networks.normalisation import NETWORK_SIZE
from .augmentation import Generators, halve

_ZOOM_SHARE = 0.25
_WINDOW_SHARE = 0.6
_INVERTED_SHARE = 0.15
_BORDER_SHARE = 0.15
_BLUR_SHARE = 0.25
_NOISE_SHARE = 0.2
_LARGEST_NOISE = 0.12
_DRAWS = 9


def change_appearance(image: torch.Tensor, target: torch.Tensor, usable: torch.Tensor,
                      generators: Generators) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Change tone, sharpness, noise, borders and polarity of some images.

    All (batch, channels, height, width), values 0..1; borders count as usable, since nobody declares them, and hold no
    target.
    """
    draw = torch.stack([torch.rand(_DRAWS, generator=generator) for generator in generators]).to(image.device)
    image = _toned(image, draw[:, 0, None, None, None])
    image = torch.where(_chosen(draw[:, 1], _BLUR_SHARE), _blurred(image), image)
    grain = torch.stack([torch.randn(image.shape[1:], generator=generator) for generator in generators])
    noise = _LARGEST_NOISE * draw[:, 2, None, None, None] * _chosen(draw[:, 3], _NOISE_SHARE)
    image = torch.where(usable > 0, (image + noise * grain.to(image.device)).clamp(0.0, 1.0), image)
    inside = _inside(image, draw[:, 5:8]) | ~_chosen(draw[:, 4], _BORDER_SHARE)
    image = torch.where(inside, image, torch.where(draw[:, 7, None, None, None] < 0.5, 0.0, 1.0))
    target = target * inside
    image = torch.where(_chosen(draw[:, 8], _INVERTED_SHARE), 1.0 - image, image)
    return image, target, usable


def look_closer(image: torch.Tensor, target: torch.Tensor, usable: torch.Tensor,
                generators: Generators) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """A window of half the height and width, anywhere, for a share of the samples; all of the others.

    All (batch, channels, height, width), square. Samples of up to 256x256 keep their size, and a fourth of them are
    enlarged; larger ones become half as large, most of them by a window, as sharp as they are.
    """
    draw = torch.stack([torch.rand(3, generator=generator) for generator in generators]).to(image.device)
    if image.shape[-1] <= NETWORK_SIZE:
        return _zoomed(image, target, usable, draw)
    size = image.shape[-1] // 2
    corners = (draw[:, 1:] * size).long().tolist()
    near = _chosen(draw[:, 0], _WINDOW_SHARE)

    def windows(images: torch.Tensor) -> torch.Tensor:
        return torch.stack([one[:, row:row + size, col:col + size]
                            for one, (row, col) in zip(images, corners, strict=True)])

    whole_image, whole_target, whole_usable = halve(image, target, usable)
    return (torch.where(near, windows(image), whole_image),
            torch.where(near, windows(target), (whole_target >= 0.5).float()),
            torch.where(near, windows(usable), whole_usable))


def _chosen(draw: torch.Tensor, share: float) -> torch.Tensor:
    return (draw < share)[:, None, None, None]


def _zoomed(image: torch.Tensor, target: torch.Tensor, usable: torch.Tensor,
            draw: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """A window of half the height and width, by chance anywhere, for a share of the images."""
    scale = torch.where(draw[:, 0] < _ZOOM_SHARE, 0.5, 1.0)
    theta = torch.zeros(len(image), 2, 3, device=image.device)
    theta[:, 0, 0] = theta[:, 1, 1] = scale
    theta[:, :, 2] = (2.0 * draw[:, 1:3] - 1.0) * (1.0 - scale)[:, None]
    near = (scale < 1.0)[:, None, None, None]
    return (torch.where(near, warp(image, theta), image),
            torch.where(near, (warp(target, theta) > 0.5).float(), target),
            torch.where(near, (warp(usable, theta) > 0.99).float(), usable))


def _toned(image: torch.Tensor, draw: torch.Tensor) -> torch.Tensor:
    """An S-curve or its inverse around mid grey, as displays and laboratories apply them."""
    steepness = torch.exp2(2.0 * draw - 1.0)
    centred = 2.0 * image - 1.0
    return 0.5 + 0.5 * torch.sign(centred) * (1.0 - (1.0 - centred.abs()) ** steepness)


def _blurred(image: torch.Tensor) -> torch.Tensor:
    return functional.avg_pool2d(functional.pad(image, (1, 1, 1, 1), mode="replicate"), 3, stride=1)


def _inside(image: torch.Tensor, draw: torch.Tensor) -> torch.Tensor:
    """True inside a circle or between bars (batch, 1, height, width)."""
    height, width = image.shape[-2:]
    row = torch.linspace(-1.0, 1.0, height, device=image.device)[None, None, :, None]
    col = torch.linspace(-1.0, 1.0, width, device=image.device)[None, None, None, :]
    size = (0.75 + 0.3 * draw[:, 0])[:, None, None, None]
    circle = (row * row + col * col) < size * size
    bars = (col.abs() < size - 0.05) & (row.abs() < 1.2)
    return torch.where((draw[:, 1] < 0.6)[:, None, None, None], circle, bars)
