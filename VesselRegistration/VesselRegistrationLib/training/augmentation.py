"""Random changes to samples on the fly, in batches."""

import math

import torch
from torch.nn import functional

from ..networks.affine_cnn import warp


def random_similarity(count: int, generator: torch.Generator, *, turn_deg: float, scale: float, shift: float,
                      mirror: bool = False) -> torch.Tensor:
    """theta (count, 2, 3): turns up to ``turn_deg``, scales 1/scale..scale, shifts up to ``shift`` half images.

    ``mirror`` also flips left and right in half of the cases.
    """
    uniform = 2.0 * torch.rand(count, 5, generator=generator) - 1.0
    angle = uniform[:, 0] * math.radians(turn_deg)
    factor = torch.exp(uniform[:, 1] * math.log(scale))
    flip = torch.where((uniform[:, 4] > 0) & mirror, -1.0, 1.0)
    cos, sin = factor * torch.cos(angle), factor * torch.sin(angle)
    rows = [torch.stack([cos * flip, -sin, shift * uniform[:, 2]], dim=1),
            torch.stack([sin * flip, cos, shift * uniform[:, 3]], dim=1)]
    return torch.stack(rows, dim=1)


def augment_fluoroscopy(image: torch.Tensor, target: torch.Tensor, usable: torch.Tensor,
                        generator: torch.Generator) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Turn, scale, shift, mirror; change gamma and contrast, add noise. All (batch, 1, height, width), values 0..1.

    What comes from outside the image is not usable afterwards; pixels that are not usable get mid grey.
    """
    count = len(image)
    theta = random_similarity(count, generator, turn_deg=15.0, scale=1.25, shift=0.12, mirror=True)
    usable = (warp(usable, theta) > 0.99).float()
    target = (warp(target, theta) > 0.5).float()
    image = warp(image, theta).clamp(0.0, 1.0)
    gamma, contrast, brightness, noise = torch.rand(4, count, 1, 1, 1, generator=generator)
    image = image ** torch.exp2(1.4 * (gamma - 0.5))
    image = 0.5 + (image - 0.5) * (0.8 + 0.4 * contrast) + 0.1 * (brightness - 0.5)
    image = image + 0.05 * noise * torch.randn(image.shape, generator=generator)
    return torch.where(usable > 0, image.clamp(0.0, 1.0), 0.5), target, usable


def augment_pair(moving: torch.Tensor, fixed: torch.Tensor,
                 generator: torch.Generator) -> tuple[torch.Tensor, torch.Tensor]:
    """Mirror and turn a pair of silhouettes together, then move the moving one alone. Both (batch, 1, h, w)."""
    count = len(moving)
    together = random_similarity(count, generator, turn_deg=10.0, scale=1.1, shift=0.05, mirror=True)
    alone = random_similarity(count, generator, turn_deg=12.0, scale=1.15, shift=0.15)
    alone[torch.rand(count, generator=generator) < 0.3] = torch.eye(2, 3)
    return warp(warp(moving, together), alone), warp(fixed, together)


def halve(image: torch.Tensor, target: torch.Tensor,
          usable: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """The same batch at half the size; a pixel stays usable where all of it was."""
    return (functional.avg_pool2d(image, 2), functional.avg_pool2d(target, 2),
            (functional.avg_pool2d(usable, 2) > 0.99).float())
