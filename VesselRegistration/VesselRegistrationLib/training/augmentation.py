"""Random changes to samples on the fly, in batches; every sample has a generator of its own.

So what happens to a sample does not depend on which others share its batch or its process.
"""

import math
from collections.abc import Sequence

import torch
from torch.nn import functional

from ..networks.affine_cnn import warp

Generators = Sequence[torch.Generator]


def random_similarity(generators: Generators, *, turn_deg: float, scale: float, shift: float,
                      mirror: bool = False) -> torch.Tensor:
    """theta (samples, 2, 3): turns up to ``turn_deg``, scales 1/scale..scale, shifts up to ``shift`` half images.

    ``mirror`` also flips left and right in half of the cases.
    """
    uniform = 2.0 * _uniform(generators, 5) - 1.0
    angle = uniform[:, 0] * math.radians(turn_deg)
    factor = torch.exp(uniform[:, 1] * math.log(scale))
    flip = torch.where((uniform[:, 4] > 0) & mirror, -1.0, 1.0)
    cos, sin = factor * torch.cos(angle), factor * torch.sin(angle)
    rows = [torch.stack([cos * flip, -sin, shift * uniform[:, 2]], dim=1),
            torch.stack([sin * flip, cos, shift * uniform[:, 3]], dim=1)]
    return torch.stack(rows, dim=1)


def augment_fluoroscopy(image: torch.Tensor, target: torch.Tensor, usable: torch.Tensor,
                        generators: Generators) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Turn, scale, shift, mirror; change gamma and contrast, add noise. All (batch, channels, height, width), 0..1.

    What comes from outside the image is not usable afterwards; pixels that are not usable get mid grey. The result is
    on the device of ``image``.
    """
    theta = random_similarity(generators, turn_deg=15.0, scale=1.25, shift=0.12, mirror=True).to(image.device)
    usable = (warp(usable, theta) > 0.99).float()
    target = (warp(target, theta) > 0.5).float()
    image = warp(image, theta).clamp(0.0, 1.0)
    gamma, contrast, brightness, noise = _uniform(generators, 4).to(image.device).T[..., None, None, None]
    grain = torch.stack([torch.randn(image.shape[1:], generator=generator) for generator in generators])
    image = image ** torch.exp2(1.4 * (gamma - 0.5))
    image = 0.5 + (image - 0.5) * (0.8 + 0.4 * contrast) + 0.1 * (brightness - 0.5)
    image = image + 0.05 * noise * grain.to(image.device)
    return torch.where(usable > 0, image.clamp(0.0, 1.0), 0.5), target, usable


def augment_pair(moving: torch.Tensor, fixed: torch.Tensor,
                 generators: Generators) -> tuple[torch.Tensor, torch.Tensor]:
    """Mirror and turn a pair of silhouettes together, then move the moving one alone. Both (batch, 1, h, w)."""
    together = random_similarity(generators, turn_deg=10.0, scale=1.1, shift=0.05, mirror=True).to(moving.device)
    alone = random_similarity(generators, turn_deg=12.0, scale=1.15, shift=0.15)
    alone[_uniform(generators, 1)[:, 0] < 0.3] = torch.eye(2, 3)
    return warp(warp(moving, together), alone.to(moving.device)), warp(fixed, together)


def halve(image: torch.Tensor, target: torch.Tensor,
          usable: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """The same batch at half the size; a pixel stays usable where all of it was."""
    return (functional.avg_pool2d(image, 2), functional.avg_pool2d(target, 2),
            (functional.avg_pool2d(usable, 2) > 0.99).float())


def _uniform(generators: Generators, count: int) -> torch.Tensor:
    return torch.stack([torch.rand(count, generator=generator) for generator in generators])
