"""Bounded parameters of a planar affine, for optimisation in batches.

Lengths are in half larger sides of the image, from its centre, so that a turn is a turn on images that are not square.
The motion maps moving to fixed positions: x_f = e^s R(phi) U x_m + t with U = [[e^k, h], [0, e^-k]]; a similarity
has k = h = 0.
"""

import math

import torch

SHIFT_LIMIT = 1.0
TURN_LIMIT = math.radians(45.0)
LOG_SCALE_LIMIT = math.log(2.0)
STRETCH_LIMIT = 0.2
SHEAR_LIMIT = 0.2

_LIMITS = (SHIFT_LIMIT, SHIFT_LIMIT, TURN_LIMIT, LOG_SCALE_LIMIT, STRETCH_LIMIT, SHEAR_LIMIT)
PARAMETERS = len(_LIMITS)


def limits(like: torch.Tensor) -> torch.Tensor:
    """Largest magnitude (6,) of column shift, row shift, turn, log scale, stretch k and shear h."""
    return torch.tensor(_LIMITS, dtype=like.dtype, device=like.device)


def motion_matrices(parameters: torch.Tensor) -> torch.Tensor:
    """Parameters (n, 6) to moving -> fixed matrices (n, 2, 3) in half larger sides."""
    shift_col, shift_row, turn, log_scale, stretch, shear = parameters.unbind(dim=1)
    scale = torch.exp(log_scale)
    cos, sin = scale * torch.cos(turn), scale * torch.sin(turn)
    grow, shrink = torch.exp(stretch), torch.exp(-stretch)
    return torch.stack([torch.stack([cos * grow, cos * shear - sin * shrink, shift_col], dim=1),
                        torch.stack([sin * grow, sin * shear + cos * shrink, shift_row], dim=1)], dim=1)


def motion_parameters(matrix: torch.Tensor) -> torch.Tensor | None:
    """The parameters (6,) of a matrix (2, 3), brought within the limits; None where it mirrors or is flat."""
    first, second = matrix[:, 0], matrix[:, 1]
    determinant = first[0] * second[1] - first[1] * second[0]
    if not torch.isfinite(matrix).all() or determinant <= 1e-3:
        return None
    log_scale = 0.5 * torch.log(determinant)
    scale = torch.exp(log_scale)
    length = torch.linalg.vector_norm(first)
    direction = first / length
    parameters = torch.stack([matrix[0, 2], matrix[1, 2], torch.atan2(direction[1], direction[0]), log_scale,
                              torch.log(length / scale), (direction @ second) / scale])
    bound = 0.98 * limits(parameters)
    return torch.maximum(torch.minimum(parameters, bound), -bound)


def invert(matrices: torch.Tensor) -> torch.Tensor:
    """Inverses (n, 2, 3) of affine matrices (n, 2, 3)."""
    linear, shift = matrices[:, :, :2], matrices[:, :, 2]
    determinant = linear[:, 0, 0] * linear[:, 1, 1] - linear[:, 0, 1] * linear[:, 1, 0]
    adjugate = torch.stack([torch.stack([linear[:, 1, 1], -linear[:, 0, 1]], dim=1),
                            torch.stack([-linear[:, 1, 0], linear[:, 0, 0]], dim=1)], dim=1)
    inverse = adjugate / determinant[:, None, None]
    return torch.cat([inverse, -(inverse @ shift[:, :, None])], dim=2)


def to_theta(matrices: torch.Tensor, aspect: tuple[float, float]) -> torch.Tensor:
    """Matrices (n, 2, 3) in half larger sides to the same map in -1..1 of width and height.

    ``aspect`` is (larger side / width, larger side / height), both at least 1.
    """
    stretch = torch.tensor(aspect, dtype=matrices.dtype, device=matrices.device)
    linear = stretch[:, None] * matrices[:, :, :2] / stretch
    return torch.cat([linear, (stretch * matrices[:, :, 2])[:, :, None]], dim=2)


def from_theta(matrices: torch.Tensor, aspect: tuple[float, float]) -> torch.Tensor:
    """The inverse of ``to_theta``."""
    return to_theta(matrices, (1.0 / aspect[0], 1.0 / aspect[1]))
