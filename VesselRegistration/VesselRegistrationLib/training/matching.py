"""Training of the matching network (affine CNN) on simulated pairs, without known matrices."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import torch
from torch import nn
from torch.utils.data import Dataset

from ..networks.affine_cnn import COMPACT, PUBLISHED, AffineCNN, warp
from ..networks.device import autocast
from ..networks.losses import matching_loss, pyramid_matching_loss
from ..progress import ProgressCallback, StopCheck, ignore_progress, never_stop
from .augmentation import augment_pair
from .samples import HELD_OUT_SEED, SEEDS_PER_TRAINING, MatchingSamples, Sample, all_samples
from .settings import OURS, PAPER, PYRAMID_DICE, TrainingSettings, matching_settings
from .trainer import train

_VALIDATION_BATCH = 8


def train_matching(out: Path, *, recipe: str = OURS, steps: int | None = None, batch_size: int | None = None,
                   seed: int = 0, threads: int = 2, device: str = "auto", resume: bool = False,
                   progress: ProgressCallback = ignore_progress, should_stop: StopCheck = never_stop) -> Path:
    """Train the matching network into the folder ``out``; gives the checkpoint.

    The recipe "ours" trains the compact network, "paper" the published one of 68.6 million parameters. The other
    arguments and errors are those of ``train_vessels``.
    """
    settings = matching_settings(recipe)
    settings = replace(settings, steps=steps or settings.steps, batch_size=batch_size or settings.batch_size)
    task = MatchingTask(settings, PUBLISHED if recipe == PAPER else COMPACT,
                        MatchingSamples("training", seed * SEEDS_PER_TRAINING), MatchingSamples("test", HELD_OUT_SEED))
    return train(task, settings, out, seed=seed, threads=threads, device=device, resume=resume, background=True,
                 progress=progress, should_stop=should_stop)


class MatchingTask:
    """Unsupervised matching; judged by mean Dice between the warped silhouette and the TRUE fixed one, held out."""

    main_score = "dice"

    def __init__(self, settings: TrainingSettings, parameters: Mapping[str, object], samples: Dataset[Sample],
                 held_out: Dataset[Sample]) -> None:
        """``samples`` and ``held_out`` give moving, fixed and true fixed silhouettes, each (1, 256, 256), 0..1."""
        compact = parameters == COMPACT
        self.name = "matching" if compact else "matching_published"
        self.samples = samples
        self._held_out = held_out
        self._held_out_cases: Sample | None = None
        self._settings = settings
        self._parameters = parameters

    def build(self) -> nn.Module:
        """The network with the given widths."""
        return AffineCNN(**self._parameters)  # type: ignore[arg-type]

    def loss(self, network: nn.Module, batch: Sample, step: int, generator: torch.Generator) -> torch.Tensor:
        """Difference between warped moving and fixed images; no matrix is known to it."""
        moving, fixed, _ = batch
        if self._settings.augment:
            moving, fixed = augment_pair(moving, fixed, generator)
        device = next(network.parameters()).device
        moving, fixed = moving.to(device), fixed.to(device)
        with autocast(device):
            theta = network(torch.cat([moving, fixed], dim=1).contiguous(memory_format=torch.channels_last)).float()
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
