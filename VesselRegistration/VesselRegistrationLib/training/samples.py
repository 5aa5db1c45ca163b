"""Simulated samples streamed from a background process into a pool that is drawn from."""

import math
from collections import deque
from collections.abc import Iterator

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

from ..networks.normalisation import NETWORK_SIZE, normalise
from .settings import FIELDS_OF_VIEW, TrainingSettings

Sample = tuple[torch.Tensor, ...]

SEEDS_PER_TRAINING = 1_000_000
HELD_OUT_SEED = 900_000_000


class VesselSamples(Dataset[Sample]):
    """Image, vessel mask and usable mask, each (1, 256, 256) float32, by number."""

    def __init__(self, field_of_view: str, domain: str, first_seed: int) -> None:
        """``domain`` "training" or "test" chooses the renderer's settings; sample k has the seed first_seed + k."""
        self.field_of_view = field_of_view
        self.domain = domain
        self.first_seed = first_seed

    def __getitem__(self, index: int) -> Sample:
        """Render and normalise sample ``index``."""
        from ..simulation.streams import training_frame

        image, vessels, _, usable = training_frame(self.field_of_view, self.first_seed + index, size=NETWORK_SIZE,
                                                   domain=self.domain)
        return tuple(_channel(entry) for entry in (normalise(image, usable), vessels, usable))


class MatchingSamples(Dataset[Sample]):
    """Moving silhouette, fixed silhouette as segmentation leaves it, and true fixed one; each (1, 256, 256) float32.

    The fields of view take turns.
    """

    def __init__(self, domain: str, first_seed: int) -> None:
        """``domain`` "training" or "test" chooses anatomies and faults; sample k has the seed first_seed + k."""
        self.domain = domain
        self.first_seed = first_seed

    def __getitem__(self, index: int) -> Sample:
        """Render pair ``index``."""
        from ..simulation.streams import matching_pair

        field_of_view = FIELDS_OF_VIEW[index % len(FIELDS_OF_VIEW)]
        return tuple(_channel(entry) for entry in matching_pair(field_of_view, self.first_seed + index,
                                                                size=NETWORK_SIZE, domain=self.domain))


def stream(samples: Dataset[Sample], first: int, last: int, background: bool) -> Iterator[Sample]:
    """Samples ``first`` to ``last`` - 1 in order, made ahead by one background process or here and now."""
    loader: DataLoader[Sample] = DataLoader(
        samples, sampler=range(first, last), batch_size=None, num_workers=1 if background else 0,
        prefetch_factor=16 if background else None, multiprocessing_context="spawn" if background else None)
    return iter(loader)


class SamplePool:
    """The newest samples, in half precision to save memory.

    Which they are depends on the step only, so that a resumed training sees the same ones.
    """

    def __init__(self, samples: Dataset[Sample], settings: TrainingSettings, first_step: int, background: bool) -> None:
        """Start streaming for ``first_step``; nothing is waited for yet."""
        self._settings = settings
        self._taken = max(0, self._needed(first_step) - settings.pool_size)
        self._pool: deque[Sample] = deque(maxlen=settings.pool_size)
        self._stream = stream(samples, self._taken, self._needed(settings.steps), background)

    def batch(self, step: int, rng: np.random.Generator) -> Sample:
        """A random batch (batch_size, 1, height, width) per entry for a step, waiting for samples where needed."""
        while self._taken < self._needed(step):
            self._pool.append(tuple(entry.half() for entry in next(self._stream)))
            self._taken += 1
        chosen = [self._pool[number] for number in rng.integers(len(self._pool), size=self._settings.batch_size)]
        return tuple(torch.stack(entries).float() for entries in zip(*chosen, strict=True))

    def _needed(self, step: int) -> int:
        return self._settings.first_fill + math.ceil(step * self._settings.batch_size / self._settings.reuse)


def all_samples(samples: Dataset[Sample], count: int) -> Sample:
    """The first ``count`` samples stacked, made here and now."""
    return tuple(torch.stack(entries) for entries in zip(*(samples[index] for index in range(count)), strict=True))


def _channel(image: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(image, dtype=np.float32))[None]


