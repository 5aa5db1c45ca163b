"""Training of our matching network on pairs whose motion is known: error of the corners, then overlap as well."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional
from torch.utils.data import Dataset

from ..matching.motion import invert
from ..networks.device import autocast
from ..networks.losses import pyramid_matching_loss
from ..networks.normalisation import NETWORK_SIZE
from .architectures import SUPERVISED_MATCHING
from .augmentation import Generators, random_similarity
from .distributed import whole_batch
from .held_out import HeldOut, answers
from .samples import Sample
from .settings import FIELDS_OF_VIEW, TrainingSettings

CORNER = "corner"
OUR_SUPERVISED_MATCHING = TrainingSettings(loss=CORNER, learning_rate=2e-3, batch_size=32, steps=4000, reuse=16,
                                           validation_cases=64, pool_size=3000)
TEST_MISSING = 0.25
_CORNERS = torch.tensor([[-1.0, -1.0, 1.0], [1.0, -1.0, 1.0], [-1.0, 1.0, 1.0], [1.0, 1.0, 1.0]])
_SMALL = 0.02
_OVERLAP_FROM = 0.6
_OVERLAP_WEIGHT = 0.05


class KnownPairSamples(Dataset[Sample]):
    """Moving and fixed silhouette, each (1, 256, 256) float32, and theta (2, 3), fixed to moving in -1..1."""

    def __init__(self, domain: str, first_seed: int, missing: float | None = None, faults: bool = True) -> None:
        """``domain``, ``missing`` and ``faults`` are those of ``simulation.known_pairs``; the fields of view in turn.

        Sample k has the seed first_seed + k.
        """
        self._domain, self._first_seed, self._missing, self._faults = domain, first_seed, missing, faults

    def __getitem__(self, index: int) -> Sample:
        """Render pair ``index``."""
        from ..matching.coordinates import affine_to_theta
        from ..simulation.known_pairs import known_pair

        size = (NETWORK_SIZE, NETWORK_SIZE)
        pair = known_pair(FIELDS_OF_VIEW[index % len(FIELDS_OF_VIEW)], self._first_seed + index, size=NETWORK_SIZE,
                          domain=self._domain, missing=self._missing, faults=self._faults)
        theta = affine_to_theta(pair.affine, size, size)
        return tuple(torch.from_numpy(np.ascontiguousarray(entry, dtype=np.float32))
                     for entry in (pair.moving[None], pair.fixed[None], theta))


class SupervisedMatchingTask:
    """Known motions; judged by the median error of the corners, px at 256x256, of held-out pairs."""

    name = "matching_ours"
    main_score = "corner_px"
    smaller_is_better = True
    design = SUPERVISED_MATCHING

    def __init__(self, settings: TrainingSettings, samples: Dataset[Sample], held_out: Dataset[Sample]) -> None:
        """``samples`` and ``held_out`` as ``KnownPairSamples`` gives them."""
        self.origin: dict[str, Any] = {"task": "matching", "field_of_view": "any", "network": "ours"}
        self.samples = samples
        self._held_out = HeldOut(held_out, settings.validation_cases)
        self._settings = settings

    def build(self) -> nn.Module:
        """Our matching network."""
        return self.design.build()

    def loss(self, network: nn.Module, batch: Sample, step: int, generators: Generators) -> torch.Tensor:
        """Smooth absolute error of the corners in both directions, towards the end with the Dice of the pyramid."""
        device = next(network.parameters()).device
        # Half the size is all the network looks at, and costs the augmentation a fourth.
        moving, fixed = (functional.avg_pool2d(image.to(device), 2) for image in batch[:2])
        moving, fixed, theta = augment_known_pair(moving, fixed, batch[2].to(device), generators)
        with autocast(device):
            found = network(torch.cat([moving, fixed], dim=1)).float()
        moving, fixed, theta, found = (whole_batch(entry) for entry in (moving, fixed, theta, found))
        loss = _corner_loss(found, theta) + _corner_loss(invert(found), invert(theta))
        if step < _OVERLAP_FROM * self._settings.steps:
            return loss
        return loss + _OVERLAP_WEIGHT * pyramid_matching_loss(moving, fixed, torch.ones_like(fixed), found,
                                                              (1.0, 0.0, 0.0))

    def validate(self, network: nn.Module) -> Mapping[str, float]:
        """Median error of the corners in px and share of pairs below 3 px."""
        moving, fixed, theta = self._held_out.cases
        found = answers(network, torch.cat([moving, fixed], dim=1))
        error = corner_error_px(found, theta)
        return {"corner_px": float(error.median()), "share_below_3_px": float((error < 3.0).float().mean())}


def corner_error_px(found: torch.Tensor, truth: torch.Tensor, size: int = NETWORK_SIZE) -> torch.Tensor:
    """Mean distance (n,) in px between the moving image's corners as ``found`` and ``truth`` place them.

    Both (n, 2, 3), fixed to moving in -1..1, of square images ``size`` px wide.
    """
    return (size / 2) * _distances(invert(found), invert(truth)).mean(dim=1)


def augment_known_pair(moving: torch.Tensor, fixed: torch.Tensor, theta: torch.Tensor,
                       generators: Generators) -> Sample:
    """Mirror and turn a pair together, then move the moving one alone a little; theta follows.

    Images (batch, 1, height, width), theta (batch, 2, 3).
    """
    from ..networks.affine_cnn import warp

    together = random_similarity(generators, turn_deg=10.0, scale=1.1, shift=0.05, mirror=True).to(moving)
    alone = random_similarity(generators, turn_deg=5.0, scale=1.05, shift=0.08).to(moving)
    both = compose(together, alone)
    return warp(moving, both), warp(fixed, together), compose(compose(invert(both), theta), together)


def compose(outer: torch.Tensor, inner: torch.Tensor) -> torch.Tensor:
    """Affine matrices (n, 2, 3) of first ``inner``, then ``outer``."""
    linear = outer[:, :, :2] @ inner[:, :, :2]
    shift = outer[:, :, :2] @ inner[:, :, 2:] + outer[:, :, 2:]
    return torch.cat([linear, shift], dim=2)


def _distances(found: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
    return torch.linalg.vector_norm((found - truth) @ _CORNERS.to(found).T, dim=1)


def _corner_loss(found: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
    """Distance of the corners, (batch, 2, 3) matrices, quadratic near zero."""
    distance = _distances(found, truth)
    return (torch.sqrt(distance * distance + _SMALL * _SMALL) - _SMALL).mean()
