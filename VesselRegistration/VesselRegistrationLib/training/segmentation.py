"""What the trainings of vessel and catheter networks share."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import nn
from torch.utils.data import Dataset

from ..networks.device import autocast
from ..networks.frame_network import BACKGROUND
from ..networks.losses import cross_entropy_loss, dice_loss
from .appearance import change_appearance, look_closer
from .architectures import NetworkDesign
from .augmentation import Generators, augment_fluoroscopy, halve
from .distributed import whole_batch
from .held_out import HeldOut, answers
from .losses import complementary_cross_entropy, complementary_dice
from .samples import Sample
from .settings import CROSS_ENTROPY, DICE, WEIGHTED_CROSS_ENTROPY, WEIGHTED_DICE, TrainingSettings


class SegmentationTask:
    """Segmentation of what a network's outputs name; judged by mean Dice of the binary masks of held-out cases."""

    main_score = "dice"
    smaller_is_better = False

    def __init__(self, name: str, design: NetworkDesign, judged: str, settings: TrainingSettings,
                 samples: Dataset[Sample], held_out: Dataset[Sample], origin: Mapping[str, Any],
                 known: tuple[str, ...] | None = None) -> None:
        """``samples`` and ``held_out`` give image (1, h, w), masks of the targets and usable (1, h, w), 0..1.

        The targets are those ``known``, or all of ``design.targets``; outputs that are not known are left alone.

        ``judged`` is the target whose Dice counts; ``origin`` says in plain values where the samples come from.
        """
        self.name = name
        self.design = design
        self.samples = samples
        self.origin = dict(origin)
        self._targets = design.targets if known is None else known
        self._judged = judged
        self._held_out = HeldOut(held_out, settings.validation_cases)
        self._settings = settings

    def build(self) -> nn.Module:
        """A new network."""
        return self.design.build()

    def loss(self, network: nn.Module, batch: Sample, step: int, generators: Generators) -> torch.Tensor:
        """The settings' loss of an augmented batch."""
        device = next(network.parameters()).device
        image, target, usable = (entry.to(device) for entry in batch)
        if self._settings.change_appearance:
            image, target, usable = look_closer(image, target, usable, generators)
        if self._settings.augment:
            image, target, usable = augment_fluoroscopy(image, target, usable, generators)
        if self._settings.change_appearance:
            image, target, usable = change_appearance(image, target, usable, generators)
        if step < self._settings.half_size_fraction * self._settings.steps:
            image, target, usable = halve(image, target, usable)
        with autocast(device):
            logits = network(image.contiguous(memory_format=torch.channels_last)).float()
        return self._loss(*(whole_batch(entry) for entry in (logits, target, usable)))

    def _loss(self, logits: torch.Tensor, target: torch.Tensor, usable: torch.Tensor) -> torch.Tensor:
        loss = self._settings.loss
        if loss == WEIGHTED_DICE:
            return complementary_dice(logits, target, usable)
        if loss == WEIGHTED_CROSS_ENTROPY:
            return complementary_cross_entropy(logits, target, usable)
        outputs = self._targets
        if BACKGROUND in self.design.outputs:
            target = torch.cat([target, 1.0 - target], dim=1)
            outputs = (*outputs, BACKGROUND)
        parts = [part for channel, name in enumerate(outputs)
                 for part in _plain_losses(loss, logits[:, self.design.outputs.index(name), None],
                                           target[:, channel, None], usable)]
        return torch.stack(parts).sum() / len(outputs)

    def validate(self, network: nn.Module) -> Mapping[str, float]:
        """Mean Dice at threshold 0.5 inside the usable region: "dice" of what counts, "dice_X" of any other target."""
        from monai.metrics import compute_dice

        image, target, usable = self._held_out.cases
        found = (answers(network, image) > 0).float()
        channels = [self.design.outputs.index(name) for name in self._targets]
        dice = compute_dice(found[:, channels] * usable, target * usable).nanmean(dim=0)
        return {"dice" if name == self._judged else f"dice_{name}": float(value)
                for name, value in zip(self._targets, dice, strict=True)}


def _plain_losses(loss: str, logits: torch.Tensor, target: torch.Tensor,
                  usable: torch.Tensor) -> Sequence[torch.Tensor]:
    if loss == DICE:
        return [dice_loss(logits, target, usable)]
    if loss == CROSS_ENTROPY:
        return [cross_entropy_loss(logits, target, usable)]
    return [dice_loss(logits, target, usable), cross_entropy_loss(logits, target, usable)]
