"""Training of the matching network (affine CNN) on simulated pairs, without known matrices."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn
from torch.utils.data import Dataset

from ..errors import UserError
from ..networks.affine_cnn import warp
from ..networks.device import autocast
from ..networks.losses import matching_loss, pyramid_matching_loss
from .architectures import COMPACT_MATCHING, MATCHING_NETWORKS, OURS, design_of
from .augmentation import Generators, augment_pair
from .distributed import whole_batch
from .held_out import HeldOut, answers
from .plan import MATCHING, TrainingPlan
from .samples import HELD_OUT_SEED, SEEDS_PER_TRAINING, MatchingSamples, Sample
from .settings import OURS as OUR_RECIPE
from .settings import PYRAMID_DICE, TrainingSettings, matching_settings
from .split import TRAINING_SPLIT, VALIDATION_SPLIT
from .supervised_matching import (
    OUR_SUPERVISED_MATCHING,
    TEST_MISSING,
    KnownPairSamples,
    SupervisedMatchingTask,
)
from .trainer import Task


def matching_task(plan: TrainingPlan) -> tuple[Task, TrainingSettings]:
    """Task and settings of a plan: "ours" learns from known motions, the published networks from overlap alone.

    Raises UserError for a network or recipe that is not known, and for ours by the paper's recipe.
    """
    first = plan.seed * SEEDS_PER_TRAINING
    if plan.network == OURS:
        if plan.recipe != OUR_RECIPE:
            raise UserError("Our matching network learns from known motions, by our recipe: choose the network compact "
                            "or published for the paper's.")
        settings = plan.applied(OUR_SUPERVISED_MATCHING)
        held_out = KnownPairSamples("test", HELD_OUT_SEED, missing=TEST_MISSING, faults=False)
        return SupervisedMatchingTask(settings, KnownPairSamples("training", first), held_out), settings
    settings = plan.applied(matching_settings(plan.recipe))
    return MatchingTask(settings, plan.network, MatchingSamples(TRAINING_SPLIT, first),
                        MatchingSamples(VALIDATION_SPLIT, HELD_OUT_SEED)), settings


class MatchingTask:
    """Unsupervised matching; judged by mean Dice between the warped silhouette and the TRUE fixed one, held out."""

    main_score = "dice"
    smaller_is_better = False

    def __init__(self, settings: TrainingSettings, network: str, samples: Dataset[Sample],
                 held_out: Dataset[Sample]) -> None:
        """``samples`` and ``held_out`` give moving, fixed and true fixed silhouettes, each (1, 256, 256), 0..1."""
        self.name = "matching" if network == COMPACT_MATCHING else f"matching_{network}"
        self.design = design_of(network, MATCHING_NETWORKS)
        self.origin: dict[str, Any] = {"task": MATCHING, "field_of_view": "any", "network": network}
        self.samples = samples
        self._held_out = HeldOut(held_out, settings.validation_cases)
        self._settings = settings

    def build(self) -> nn.Module:
        """A new network."""
        return self.design.build()

    def loss(self, network: nn.Module, batch: Sample, step: int, generators: Generators) -> torch.Tensor:
        """Difference between warped moving and fixed images; no matrix is known to it."""
        device = next(network.parameters()).device
        moving, fixed = batch[0].to(device), batch[1].to(device)
        if self._settings.augment:
            moving, fixed = augment_pair(moving, fixed, generators)
        with autocast(device):
            theta = network(torch.cat([moving, fixed], dim=1).contiguous(memory_format=torch.channels_last)).float()
        moving, fixed, theta = whole_batch(moving), whole_batch(fixed), whole_batch(theta)
        usable = torch.ones_like(fixed)
        if self._settings.loss != PYRAMID_DICE:
            return matching_loss(warp(moving, theta), fixed, usable)
        done = step / self._settings.steps
        weights = (1.0, 0.0, 0.0) if done < 0.4 else (1.0, 1.0, 0.0) if done < 0.75 else (0.5, 1.0, 1.0)
        return pyramid_matching_loss(moving, fixed, usable, theta, weights)

    def validate(self, network: nn.Module) -> Mapping[str, float]:
        """Mean Dice of the binary silhouettes after the network and, for comparison, before it."""
        from monai.metrics import compute_dice

        moving, fixed, truth = self._held_out.cases
        theta = answers(network, torch.cat([moving, fixed], dim=1))
        warped = (warp(moving, theta) > 0.5).float()
        truth = (truth > 0.5).float()
        return {"dice": float(compute_dice(warped, truth).nanmean()),
                "dice_before": float(compute_dice((moving > 0.5).float(), truth).nanmean())}
