"""The experiment's frames: six procedures, each a domain and patients of its own, and the patch recipe."""

from collections.abc import Callable, Sequence

import numpy as np
from torch.utils.data import Dataset

from ...networks.normalisation import NETWORK_SIZE
from ...simulation.catheter_frames import CatheterFrame
from ...simulation.domains import BORDERS, DISPLAY, DSA, INVERTED, LOW_DOSE, TEST, TRAINING, WIDE
from ..samples import CatheterSamples, Sample, catheter_sample
from ..settings import FIELDS_OF_VIEW
from ..split import TRAINING_SPLIT, VALIDATION_SPLIT

PROCEDURES = {"T1": TEST, "T2": DSA, "T3": LOW_DOSE, "T4": DISPLAY, "T5": BORDERS, "T6": INVERTED}
"""In place of the paper's six in-vivo sequences: domains that the synthetic training never shows."""

SYNTHETIC = "synthetic"
PATCHES = "patches"
PHANTOM = "phantom"
VALIDATION = "validation"
_HELD_OUT_ANATOMIES = 24
_PATIENTS = _HELD_OUT_ANATOMIES // len(PROCEDURES)
_PHANTOM_FIRST = 500_000

Frames = Callable[[str, Sequence[str]], Dataset[Sample]]
"""Gives the endless frames of a source, with masks of the given targets."""


def simulated(source: str, targets: Sequence[str]) -> Dataset[Sample]:
    """Frames of a procedure, "synthetic", "patches", "phantom" (the domain "wide") or "validation"."""
    if source in PROCEDURES:
        return ProcedureFrames(source, targets)
    if source == PATCHES:
        return PatchFrames(targets)
    if source == PHANTOM:
        return CatheterSamples(TRAINING_SPLIT, _PHANTOM_FIRST, targets, WIDE)
    return CatheterSamples(TRAINING_SPLIT if source == SYNTHETIC else VALIDATION_SPLIT, 0, targets, TRAINING)


class ProcedureFrames(Dataset[Sample]):
    """Frames of one procedure: its domain, and four patients per field of view whom no other procedure shows."""

    def __init__(self, procedure: str, targets: Sequence[str]) -> None:
        """``procedure`` is one of PROCEDURES."""
        self._domain = PROCEDURES[procedure]
        self._first_patient = _PATIENTS * list(PROCEDURES).index(procedure)
        self._targets = tuple(targets)

    def __getitem__(self, index: int) -> Sample:
        """Render and normalise frame ``index``."""
        from ...simulation.catheter_frames import catheter_frame

        turn, field = divmod(index, len(FIELDS_OF_VIEW))
        visit, patient = divmod(turn, _PATIENTS)
        seed = visit * _HELD_OUT_ANATOMIES + self._first_patient + patient
        return catheter_sample(catheter_frame(FIELDS_OF_VIEW[field], seed, size=NETWORK_SIZE, domain=self._domain),
                               self._targets)


class PatchFrames(Dataset[Sample]):
    """Frames by the recipe of Gherardini et al.: splines drawn on background patches."""

    def __init__(self, targets: Sequence[str]) -> None:
        """``targets`` as in ``CatheterSamples``."""
        self._targets = tuple(targets)

    def __getitem__(self, index: int) -> Sample:
        """Make and normalise frame ``index``."""
        from ...simulation.backgrounds import patch_frame

        frame: CatheterFrame = patch_frame(index, size=NETWORK_SIZE, domain=TRAINING)
        return catheter_sample(frame, self._targets)


class Mixture(Dataset[Sample]):
    """Chosen frames of several sources, shuffled."""

    def __init__(self, parts: Sequence[tuple[Dataset[Sample], range]], seed: int = 0) -> None:
        """``parts`` are sources and the numbers of their frames."""
        places = [(part, number) for part, (_, numbers) in enumerate(parts) for number in numbers]
        self._sources = [source for source, _ in parts]
        self._places = [places[int(place)] for place in np.random.default_rng(seed).permutation(len(places))]

    def __len__(self) -> int:
        """How many frames there are."""
        return len(self._places)

    def __getitem__(self, index: int) -> Sample:
        """Frame ``index``."""
        part, number = self._places[index]
        return self._sources[part][number]
