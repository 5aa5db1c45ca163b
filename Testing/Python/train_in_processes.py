"""A small training of a network without batch norm, also started in several processes: ``python FILE OUT``.

A process exits with 1 where threads of the group outlive the training: they may abort it as it ends.
"""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.utils.data import Dataset
from VesselRegistrationLib.training.architectures import NetworkDesign
from VesselRegistrationLib.training.segmentation import SegmentationTask
from VesselRegistrationLib.training.settings import DICE_AND_CROSS_ENTROPY, TrainingSettings
from VesselRegistrationLib.training.trainer import Place, train

SETTINGS = TrainingSettings(loss=DICE_AND_CROSS_ENTROPY, learning_rate=0.02, batch_size=8, steps=6, warmup_steps=1,
                            first_fill=16, pool_size=32, validation_cases=4, validate_every=3, checkpoint_every=3,
                            optimiser="sgd")


class Squares(Dataset[tuple[torch.Tensor, ...]]):
    """Noise with a brighter square, each of another size: Dice of a batch is no mean of Dices of its parts."""

    def __getitem__(self, index: int) -> tuple[torch.Tensor, ...]:
        generator = torch.Generator().manual_seed(index)
        mask = torch.zeros(1, 32, 32)
        side = 2 + index * 7 % 19
        mask[:, 4:4 + side, 6:6 + side] = 1
        return (0.3 * torch.rand(1, 32, 32, generator=generator) + 0.6 * mask), mask, torch.ones(1, 32, 32)


class Exact(nn.Sequential):
    """Layers in single precision whatever the processor offers, so that results compare to rounding."""

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        with torch.autocast("cpu", enabled=False):
            return super().forward(image)


class PlainTask(SegmentationTask):
    """A network of two convolutions."""

    def __init__(self, settings: TrainingSettings = SETTINGS, origin: Mapping[str, Any] | None = None) -> None:
        super().__init__("vessels", NetworkDesign("Plain", {}, ("vessel",)), "vessel", settings, Squares(), Squares(),
                         origin or {"task": "vessels", "network": "plain", "field_of_view": "both"})

    def build(self) -> nn.Module:
        return Exact(nn.Conv2d(1, 6, 3, padding=1), nn.ReLU(), nn.Conv2d(6, 1, 3, padding=1))


def run(out: Path) -> None:
    train(PlainTask(), SETTINGS, out, seed=0, place=Place("cpu", 1, 0), resume=False,
          progress=lambda fraction, text: None, should_stop=lambda: False)


if __name__ == "__main__":
    run(Path(sys.argv[1]))
    sys.exit(any("gloo" in thread.read_text() for thread in Path("/proc/self/task").glob("*/comm")))
