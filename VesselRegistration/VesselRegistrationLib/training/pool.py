"""Which samples a step sees: the newest of a stream, or a finite set in epochs.

The choice depends on the seed and the step alone, so that a resumed training sees the same ones. Place j of a batch of
B is only ever filled with samples whose number is j modulo B. Each of W processes that train together fills the places
that are its rank modulo W; so it has to make its own share of the samples only, and all together see exactly the batch
that one process alone would see.
"""

import math

import numpy as np
import torch
from torch.utils.data import Dataset

from ..errors import UserError
from .samples import Sample, stream
from .settings import TrainingSettings

_PackedEntry = tuple[torch.Tensor | np.ndarray, torch.Size]


class SamplePool:
    """Samples in memory, pictures in half precision, masks as bits and matrices as they are."""

    def __init__(self, samples: Dataset[Sample], settings: TrainingSettings, first_step: int, seed: int,
                 workers: int = 0, rank: int = 0, processes: int = 1) -> None:
        """Start streaming for ``first_step``; nothing is waited for yet.

        Raises UserError where the batch cannot be shared out among the processes, or is larger than an epoch.
        """
        if settings.batch_size % processes:
            raise UserError(f"A batch of {settings.batch_size} cannot be shared out among {processes} processes: "
                            "choose a batch size that is a multiple of their number.")
        if 0 < settings.epoch_size < settings.batch_size:
            raise UserError(f"There are {settings.epoch_size} samples in all, fewer than a batch of "
                            f"{settings.batch_size}: give more of them, or choose a smaller --batch-size.")
        self._settings = settings
        self._seed = seed
        self.places = range(rank, settings.batch_size, processes)
        self._mine = set(self.places)
        self._kept: dict[int, tuple[_PackedEntry, ...]] = {}
        first = self._oldest(first_step)
        last = settings.epoch_size or self._made(settings.steps)
        numbers = [number for number in range(first, last) if number % settings.batch_size in self._mine]
        self._coming = iter(numbers)
        self._stream = stream(samples, numbers, workers)
        self._next = first

    def batch(self, step: int) -> Sample:
        """This process's share of the batch of a step, stacked per entry, waiting for samples where needed."""
        numbers = self.numbers(step)
        while self._next <= max(numbers):
            number = next(self._coming)
            self._kept[number] = tuple(_pack(entry) for entry in next(self._stream))
            self._next = number + 1
        oldest = self._oldest(step)
        for number in [entry for entry in self._kept if entry < oldest]:
            del self._kept[number]
        chosen = [[_unpack(entry) for entry in self._kept[number]] for number in numbers]
        return tuple(torch.stack(entries) for entries in zip(*chosen, strict=True))

    def numbers(self, step: int) -> list[int]:
        """Numbers of the samples that this process sees at a step."""
        size = self._settings.batch_size
        if self._settings.epoch_size:
            return [number for place, number in enumerate(self._epoch_batch(step)) if place in self._mine]
        first, last = self._oldest(step), self._made(step)
        rng = np.random.default_rng([self._seed, step])
        chosen = []
        for place, share in enumerate(rng.random(size)):
            candidates = range(first + (place - first) % size, last, size)
            chosen.append(candidates[int(share * len(candidates))])
        return [chosen[place] for place in self.places]

    def _epoch_batch(self, step: int) -> list[int]:
        # Each place goes through its own samples in an order that every epoch shuffles anew; the first epoch takes
        # them as they come, so that training can start before all are made. Where the batches do not come out even,
        # a place begins again.
        size, total = self._settings.batch_size, self._settings.epoch_size
        batches = math.ceil(total / size)
        epoch, batch = divmod(step, batches)
        rng = np.random.default_rng([self._seed, epoch])
        turns = [int(rng.permutation(batches)[batch]) if epoch else batch for _ in range(size)]
        return [turn % len(range(place, total, size)) * size + place for place, turn in enumerate(turns)]

    def _made(self, step: int) -> int:
        first_fill = max(self._settings.first_fill, self._settings.batch_size)
        return first_fill + math.ceil(step * self._settings.batch_size / self._settings.reuse)

    def _oldest(self, step: int) -> int:
        if self._settings.epoch_size:
            return 0
        return max(0, self._made(step) - max(self._settings.pool_size, self._settings.batch_size))


def _pack(entry: torch.Tensor) -> _PackedEntry:
    if bool(((entry == 0) | (entry == 1)).all()):
        return np.packbits(entry.numpy().astype(bool)), entry.shape
    return entry.half() if entry.ndim > 2 else entry, entry.shape


def _unpack(packed: _PackedEntry) -> torch.Tensor:
    content, shape = packed
    if isinstance(content, torch.Tensor):
        return content.float()
    bits = np.unpackbits(content, count=shape.numel()).astype(np.float32)
    return torch.from_numpy(bits).view(shape)
