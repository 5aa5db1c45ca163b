"""The held-out cases that a training is judged by."""

import torch
from torch import nn
from torch.utils.data import Dataset

from ..networks.device import autocast
from .samples import Sample, all_samples

_BATCH = 8


class HeldOut:
    """The first ``count`` samples of a source, made when they are first needed."""

    def __init__(self, source: Dataset[Sample], count: int) -> None:
        """``source`` gives what the training's samples give."""
        self._source = source
        self._count = count
        self._made: Sample | None = None

    @property
    def cases(self) -> Sample:
        """All of them, one batch."""
        if self._made is None:
            self._made = all_samples(self._source, self._count)
        return self._made


def answers(network: nn.Module, images: torch.Tensor) -> torch.Tensor:
    """The network's answers to images (n, channels, height, width), a few at a time; float32 on the CPU."""
    device = next(network.parameters()).device
    with autocast(device):
        return torch.cat([network(part.to(device)).float().cpu() for part in images.split(_BATCH)])
