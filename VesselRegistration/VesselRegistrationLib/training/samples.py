"""Simulated samples, and the stream that makes them ahead in processes of their own."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

from ..networks.frame_network import DEVICE, VESSEL
from ..networks.normalisation import FULL_SIZE, NETWORK_SIZE, normalise
from ..simulation.domains import TRAINING, WIDE
from .settings import FIELDS_OF_VIEW
from .split import catheter_seed, vessel_seed

if TYPE_CHECKING:
    from ..simulation.catheter_frames import CatheterFrame

Sample = tuple[torch.Tensor, ...]

_LEARNT_FROM = (TRAINING, WIDE)

SEEDS_PER_TRAINING = 1_000_000
HELD_OUT_SEED = 900_000_000


class VesselSamples(Dataset[Sample]):
    """Image (1, 256, 256), one mask per target (targets, 256, 256), usable (1, 256, 256); float32, by number.

    The fields of view take turns.
    """

    def __init__(self, fields_of_view: Sequence[str], split: str, first: int, targets: Sequence[str] = (VESSEL,),
                 domain: str = TRAINING) -> None:
        """``split`` "training", "validation" or "test" chooses anatomies; sample k is its ``first`` + k.

        ``domain`` is one of ``simulation.domains``, and "test" or another held-out one for the split "test".
        """
        self.domain = domain
        self.fields_of_view = tuple(fields_of_view)
        self.split = split
        self.first = first
        self.targets = tuple(targets)

    def __getitem__(self, index: int) -> Sample:
        """Render and normalise sample ``index``."""
        from ..simulation.streams import training_frame

        field_of_view = self.fields_of_view[index % len(self.fields_of_view)]
        image, vessels, devices, usable = training_frame(
            field_of_view, vessel_seed(self.split, self.first + index), size=NETWORK_SIZE, domain=self.domain)
        masks = {VESSEL: vessels, DEVICE: devices}
        return (_tensor(normalise(image, usable)[None]), _tensor(np.stack([masks[name] for name in self.targets])),
                _tensor(usable[None]))


class CatheterSamples(Dataset[Sample]):
    """As ``VesselSamples``, of frames with one to four catheters; "device" is catheters and guidewires alone."""

    def __init__(self, split: str, first: int, targets: Sequence[str] = (DEVICE,), domain: str = TRAINING,
                 size: int = NETWORK_SIZE) -> None:
        """Arguments as in ``VesselSamples``; ``size`` is the side in pixels."""
        self.size = size
        self.split = split
        self.first = first
        self.targets = tuple(targets)
        self.domain = domain

    def __getitem__(self, index: int) -> Sample:
        """Render and normalise sample ``index``."""
        from ..simulation.catheter_frames import catheter_frame

        turn, field = divmod(self.first + index, len(FIELDS_OF_VIEW))
        frame = catheter_frame(FIELDS_OF_VIEW[field], catheter_seed(self.split, turn), size=self.size,
                               domain=self.domain)
        return catheter_sample(frame, self.targets)


def catheter_sample(frame: "CatheterFrame", targets: Sequence[str]) -> Sample:
    """A catheter frame as a sample with the masks of ``targets``."""
    masks = {VESSEL: frame.vessel_mask, DEVICE: frame.device_mask}
    return (_tensor(normalise(frame.attenuation, frame.usable)[None]),
            _tensor(np.stack([masks[name] for name in targets])), _tensor(frame.usable[None]))


class InTurn(Dataset[Sample]):
    """Samples of several sources in turn."""

    def __init__(self, sources: Sequence[Dataset[Sample]]) -> None:
        """Sample k is number k // n of source k % n."""
        self._sources = tuple(sources)

    def __getitem__(self, index: int) -> Sample:
        """Sample ``index``."""
        turn, source = divmod(index, len(self._sources))
        return self._sources[source][turn]


def mixed_catheters(split: str, first: int, targets: Sequence[str]) -> InTurn:
    """Catheter frames of the two domains to learn from, 512x512, so that windows of them show thin wires as sharp as
    full resolution does. Arguments as in ``VesselSamples``."""
    return InTurn([CatheterSamples(split, first, targets, domain, FULL_SIZE) for domain in _LEARNT_FROM])


def mixed_vessels(fields_of_view: Sequence[str], split: str, first: int, targets: Sequence[str]) -> InTurn:
    """Vessel frames of the two domains to learn from. Arguments as in ``VesselSamples``."""
    return InTurn([VesselSamples(fields_of_view, split, first, targets, domain) for domain in _LEARNT_FROM])


def mixed_fluoroscopy(split: str, first: int, targets: Sequence[str] = (VESSEL, DEVICE)) -> InTurn:
    """Vessel frames and catheter frames of the two domains to learn from. Arguments as in ``VesselSamples``."""
    return InTurn([kind for domain in _LEARNT_FROM for kind in (
        VesselSamples(FIELDS_OF_VIEW, split, first, targets, domain), CatheterSamples(split, first, targets, domain))])


class MatchingSamples(Dataset[Sample]):
    """Moving silhouette, fixed silhouette as segmentation leaves it, and true fixed one; each (1, 256, 256) float32.

    The fields of view take turns.
    """

    def __init__(self, split: str, first: int, domain: str = TRAINING) -> None:
        """Arguments as in ``VesselSamples``; ``domain`` chooses the faults."""
        self.domain = domain
        self.split = split
        self.first = first

    def __getitem__(self, index: int) -> Sample:
        """Render pair ``index``."""
        from ..simulation.streams import matching_pair

        pair = matching_pair(FIELDS_OF_VIEW[index % len(FIELDS_OF_VIEW)], vessel_seed(self.split, self.first + index),
                             size=NETWORK_SIZE, domain=self.domain)
        return tuple(_tensor(entry[None]) for entry in pair)


def stream(samples: Dataset[Sample], numbers: Sequence[int], workers: int) -> Iterator[Sample]:
    """The samples of ``numbers`` in their order, made ahead by ``workers`` processes, or here and now for 0."""
    loader: DataLoader[Sample] = DataLoader(
        samples, sampler=numbers, batch_size=None, num_workers=workers,
        prefetch_factor=16 if workers else None, multiprocessing_context="spawn" if workers else None)
    return iter(loader)


def all_samples(samples: Dataset[Sample], count: int) -> Sample:
    """The first ``count`` samples stacked, made here and now."""
    return tuple(torch.stack(entries) for entries in zip(*(samples[index] for index in range(count)), strict=True))


def _tensor(image: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(image, dtype=np.float32))
