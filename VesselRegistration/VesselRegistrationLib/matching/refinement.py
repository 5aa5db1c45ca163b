"""Search for affines by direct optimisation of the matching loss, coarse to fine and from many starts.

The measure is a soft Dice of blurred images in both directions: the moving image warped onto the fixed one and the
other way round. Pixels behind shutters, and pixels of which the moving image knows nothing, are left out of it. Since
contrast often fills a part of the vessels only, model without vessel counts less than vessel without model. Large
motions pay a small price, so that half a tree does not run away with the model.
"""

from dataclasses import dataclass

import torch

from ..networks.affine_cnn import warp
from ..networks.losses import blur_to
from ..progress import StopCheck, raise_if_stopped
from .motion import PARAMETERS, from_theta, invert, limits, motion_matrices, motion_parameters, to_theta

UNSEEN_WEIGHT = 0.5
"""What lies outside the other image counts this much, lest everything be pushed outside."""
MODEL_ONLY_WEIGHT = 0.6
"""Weight of model without vessel; vessel without model has the rest to 2."""
MOTION_PRICE = 0.15
"""What a shift by half an image costs (doubling the size: twice that); it grows with the square."""

_SEARCH_SIZE = 32
_SIMILARITY = torch.tensor([1.0, 1.0, 1.0, 1.0, 0.0, 0.0])


@dataclass(frozen=True)
class Level:
    """One grid of the pyramid: its size, how many candidates are refined on it for how long, and in which family."""

    size: int
    candidates: int
    steps: int
    rate: float
    similarity: bool


LEVELS = (Level(64, 8, 40, 0.06, True), Level(128, 4, 30, 0.03, True))


@dataclass(frozen=True)
class Pair:
    """Moving and fixed image with what is known of each; all (1, 1, 256, 256), 0..1, in -1..1 coordinates."""

    moving: torch.Tensor
    moving_known: torch.Tensor
    fixed: torch.Tensor
    usable: torch.Tensor

    def at(self, size: int) -> "Pair":
        """Blurred to a smaller grid; what the blur mixed with the unknown is unknown."""
        known, usable = ((blur_to(mask, size) > 0.9).float() for mask in (self.moving_known, self.usable))
        return Pair(blur_to(self.moving, size) * known, known, blur_to(self.fixed, size) * usable, usable)


def symmetric_dice(pair: Pair, to_fixed: torch.Tensor) -> torch.Tensor:
    """Soft Dice (n,) of moving -> fixed matrices (n, 2, 3) in -1..1 coordinates, mean of both directions."""
    moving, fixed = (pair.moving, pair.moving_known), (pair.fixed, pair.usable)
    forward = _directed_dice(moving, fixed, invert(to_fixed), MODEL_ONLY_WEIGHT)
    backward = _directed_dice(fixed, moving, to_fixed, 2.0 - MODEL_ONLY_WEIGHT)
    return 0.5 * (forward + backward)


def refine(pair: Pair, network_answer: torch.Tensor, aspect: tuple[float, float],
           should_stop: StopCheck) -> torch.Tensor:
    """Moving -> fixed matrices (n, 2, 3) in -1..1 coordinates, the best first; the outlines have the last word.

    Starts are the identity, ``network_answer`` (2, 3) and the best of a grid of shifts, turns and scales. ``aspect``
    is that of ``motion.to_theta``.
    """
    identity = torch.zeros(1, PARAMETERS)
    answer = motion_parameters(from_theta(network_answer[None], aspect)[0])
    starts = identity if answer is None else torch.cat([answer[None], identity])
    parameters = torch.cat([starts, _search(pair, aspect, LEVELS[0].candidates - len(starts))])
    for level in LEVELS:
        raise_if_stopped(should_stop)
        small = pair.at(level.size)
        parameters = _ranked(small, parameters, aspect)[:level.candidates]
        parameters = _climb(small, parameters, aspect, level)
    return to_theta(motion_matrices(_ranked(small, parameters, aspect)), aspect)


def _directed_dice(source: tuple[torch.Tensor, torch.Tensor], target: tuple[torch.Tensor, torch.Tensor],
                   theta: torch.Tensor, source_weight: float) -> torch.Tensor:
    """Soft Dice (n,) of a warped source and a target, each with its mask of what is known."""
    warped, seen = warp(torch.cat(source, dim=1).expand(len(theta), -1, -1, -1), theta).split(1, dim=1)
    image, known = target
    weight = known * (UNSEEN_WEIGHT + (1.0 - UNSEEN_WEIGHT) * seen)
    overlap = 2.0 * (weight * warped * image).sum(dim=(1, 2, 3))
    areas = source_weight * warped * warped + (2.0 - source_weight) * image * image
    return overlap / ((weight * areas).sum(dim=(1, 2, 3)) + 1e-6)


def _worth(pair: Pair, parameters: torch.Tensor, aspect: tuple[float, float]) -> torch.Tensor:
    """What is maximised (n,): the symmetric Dice of parameters (n, 6) less the price of the motion."""
    matrices = motion_matrices(parameters)
    price = MOTION_PRICE * (matrices - torch.eye(2, 3)).square().sum(dim=(1, 2))
    return symmetric_dice(pair, to_theta(matrices, aspect)) - price


def _search(pair: Pair, aspect: tuple[float, float], count: int) -> torch.Tensor:
    """The ``count`` best and different parameters (count, 6) of a coarse grid."""
    shifts = torch.linspace(-0.6, 0.6, 9)
    grid = torch.cartesian_prod(shifts, shifts, torch.tensor([-0.26, 0.0, 0.26]), torch.tensor([-0.22, 0.0, 0.22]),
                                torch.zeros(1), torch.zeros(1))
    small = pair.at(_SEARCH_SIZE)
    with torch.no_grad():
        scores = _worth(small, grid, aspect)
    chosen: list[torch.Tensor] = []
    for index in scores.argsort(descending=True):
        if all((grid[index] - other).abs().max() > 0.2 for other in chosen):
            chosen.append(grid[index])
        if len(chosen) == count:
            break
    return torch.stack(chosen)


def _ranked(pair: Pair, parameters: torch.Tensor, aspect: tuple[float, float]) -> torch.Tensor:
    with torch.no_grad():
        scores = _worth(pair, parameters, aspect)
    return parameters[scores.argsort(descending=True)]


def _climb(pair: Pair, parameters: torch.Tensor, aspect: tuple[float, float], level: Level) -> torch.Tensor:
    """Adam on bounded parameters, each candidate keeping the best place it passed."""
    bound = limits(parameters)
    free = torch.atanh((parameters / bound).clamp(-0.99, 0.99)).requires_grad_()
    optimiser = torch.optim.Adam([free], lr=level.rate, betas=(0.8, 0.99))
    best = parameters.clone()
    best_scores = torch.full((len(parameters),), -1.0)
    for step in range(level.steps + 1):
        for group in optimiser.param_groups:
            group["lr"] = level.rate * (1.0 - 0.8 * step / level.steps)
        current = bound * torch.tanh(free)
        if level.similarity:
            current = current * _SIMILARITY
        scores = _worth(pair, current, aspect)
        better = scores.detach() > best_scores
        best[better], best_scores[better] = current.detach()[better], scores.detach()[better]
        if step < level.steps:
            optimiser.zero_grad(set_to_none=True)
            (-scores.sum()).backward()
            optimiser.step()
    return best
