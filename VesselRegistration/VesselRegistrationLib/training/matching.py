"""Training of the matching network (affine CNN) on simulated pairs, without known matrices."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.utils.data import Dataset

from ..networks.affine_cnn import warp
from ..networks.device import autocast
from ..networks.losses import matching_loss, pyramid_matching_loss
from ..progress import ProgressCallback, StopCheck, ignore_progress, never_stop
from .architectures import COMPACT_MATCHING, MATCHING_NETWORKS, PUBLISHED_MATCHING, design_of
from .augmentation import Generators, augment_pair
from .distributed import whole_batch
from .samples import HELD_OUT_SEED, SEEDS_PER_TRAINING, MatchingSamples, Sample, all_samples
from .settings import OURS, PAPER, PYRAMID_DICE, TrainingSettings, matching_settings
from .split import TRAINING_SPLIT, VALIDATION_SPLIT
from .trainer import Place, train

_VALIDATION_BATCH = 8


def train_matching(out: Path, *, network: str | None = None, recipe: str = OURS, steps: int | None = None,
                   batch_size: int | None = None, seed: int = 0, place: Place | None = None, resume: bool = False,
                   progress: ProgressCallback = ignore_progress, should_stop: StopCheck = never_stop) -> Path:
    """Train the matching network into the folder ``out``; gives the checkpoint.

    ``network`` is "compact" or "published" (68.6 million parameters); without it the recipe "paper" trains the
    published one and "ours" the compact one. The other arguments and errors are those of ``train_vessels``.
    """
    settings = matching_settings(recipe)
    settings = replace(settings, steps=steps or settings.steps, batch_size=batch_size or settings.batch_size)
    task = MatchingTask(settings, network or (PUBLISHED_MATCHING if recipe == PAPER else COMPACT_MATCHING),
                        MatchingSamples(TRAINING_SPLIT, seed * SEEDS_PER_TRAINING),
                        MatchingSamples(VALIDATION_SPLIT, HELD_OUT_SEED))
    return train(task, settings, out, seed=seed, place=place or Place(), resume=resume, progress=progress,
                 should_stop=should_stop)


class MatchingTask:
    """Unsupervised matching; judged by mean Dice between the warped silhouette and the TRUE fixed one, held out."""

    main_score = "dice"
    smaller_is_better = False

    def __init__(self, settings: TrainingSettings, network: str, samples: Dataset[Sample],
                 held_out: Dataset[Sample]) -> None:
        """``samples`` and ``held_out`` give moving, fixed and true fixed silhouettes, each (1, 256, 256), 0..1."""
        self.name = "matching" if network == COMPACT_MATCHING else f"matching_{network}"
        self.design = design_of(network, MATCHING_NETWORKS)
        self.origin: dict[str, Any] = {"task": "matching", "field_of_view": "any", "network": network}
        self.samples = samples
        self._held_out = held_out
        self._held_out_cases: Sample | None = None
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

        if self._held_out_cases is None:
            self._held_out_cases = all_samples(self._held_out, self._settings.validation_cases)
        moving, fixed, truth = self._held_out_cases
        device = next(network.parameters()).device
        with autocast(device):
            theta = torch.cat([network(pair.to(device)).float().cpu()
                               for pair in torch.cat([moving, fixed], dim=1).split(_VALIDATION_BATCH)])
        warped = (warp(moving, theta) > 0.5).float()
        truth = (truth > 0.5).float()
        return {"dice": float(compute_dice(warped, truth).nanmean()),
                "dice_before": float(compute_dice((moving > 0.5).float(), truth).nanmean())}
