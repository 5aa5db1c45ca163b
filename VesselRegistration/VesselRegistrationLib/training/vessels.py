"""Training of the vessel network (DRU-Net) on simulated fluoroscopy."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import torch
from torch import nn
from torch.utils.data import Dataset

from ..networks.device import autocast
from ..networks.dru_net import DRUNet
from ..networks.losses import cross_entropy_loss, dice_loss
from ..progress import ProgressCallback, StopCheck, ignore_progress, never_stop
from .augmentation import augment_fluoroscopy, halve
from .samples import HELD_OUT_SEED, SEEDS_PER_TRAINING, Sample, VesselSamples, all_samples
from .settings import CROSS_ENTROPY, DICE, OURS, TrainingSettings, vessel_settings
from .trainer import train

_VALIDATION_BATCH = 8


def train_vessels(field_of_view: str, out: Path, *, recipe: str = OURS, steps: int | None = None,
                  batch_size: int | None = None, seed: int = 0, threads: int = 2, device: str = "auto",
                  resume: bool = False, progress: ProgressCallback = ignore_progress,
                  should_stop: StopCheck = never_stop) -> Path:
    """Train the vessel network for the "lower" or "upper" field of view into the folder ``out``; gives the checkpoint.

    ``recipe`` is "ours" or "paper"; ``steps`` and ``batch_size`` change it. The folder must be empty or new, unless
    ``resume`` goes on with the training in it. Raises UserError for unusable arguments, Cancelled on request.
    """
    settings = vessel_settings(field_of_view, recipe)
    settings = replace(settings, steps=steps or settings.steps, batch_size=batch_size or settings.batch_size)
    task = VesselTask(field_of_view, settings, VesselSamples(field_of_view, "training", seed * SEEDS_PER_TRAINING),
                      VesselSamples(field_of_view, "test", HELD_OUT_SEED))
    return train(task, settings, out, seed=seed, threads=threads, device=device, resume=resume, background=True,
                 progress=progress, should_stop=should_stop)


class VesselTask:
    """Vessel segmentation in one field of view; judged by mean Dice of the binary masks of held-out cases."""

    main_score = "dice"

    def __init__(self, field_of_view: str, settings: TrainingSettings, samples: Dataset[Sample],
                 held_out: Dataset[Sample]) -> None:
        """``samples`` and ``held_out`` give image, target and usable mask, each (1, height, width), 0..1."""
        self.name = f"vessels_{field_of_view}"
        self.samples = samples
        self._held_out = held_out
        self._held_out_cases: Sample | None = None
        self._settings = settings

    def build(self) -> nn.Module:
        """The published network for gray images."""
        return DRUNet()

    def loss(self, network: nn.Module, batch: Sample, step: int, generator: torch.Generator) -> torch.Tensor:
        """The settings' loss of an augmented batch."""
        image, target, usable = batch
        if self._settings.augment:
            image, target, usable = augment_fluoroscopy(image, target, usable, generator)
        if step < self._settings.half_size_fraction * self._settings.steps:
            image, target, usable = halve(image, target, usable)
        device = next(network.parameters()).device
        image, target, usable = image.to(device), target.to(device), usable.to(device)
        with autocast(device):
            logits = network(image.contiguous(memory_format=torch.channels_last)).float()
        if self._settings.loss == DICE:
            return dice_loss(logits, target, usable)
        if self._settings.loss == CROSS_ENTROPY:
            return cross_entropy_loss(logits, target, usable)
        return dice_loss(logits, target, usable) + cross_entropy_loss(logits, target, usable)

    def validate(self, network: nn.Module) -> Mapping[str, float]:
        """Mean Dice at threshold 0.5 inside the usable region."""
        from monai.metrics import compute_dice

        if self._held_out_cases is None:
            self._held_out_cases = all_samples(self._held_out, self._settings.validation_cases)
        image, target, usable = self._held_out_cases
        device = next(network.parameters()).device
        with autocast(device):
            found = torch.cat([(network(part.to(device)) > 0).float().cpu() for part in image.split(_VALIDATION_BATCH)])
        return {"dice": float(compute_dice(found * usable, target * usable).nanmean())}
