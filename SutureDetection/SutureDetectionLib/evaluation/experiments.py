"""Scores of several trained networks on the same simulated frames, fold by fold."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from VesselRegistrationLib.progress import ProgressCallback, StopCheck, never_stop, raise_if_stopped

from .domains import compare, labelled_frames
from .scoring import ScoredImage, Scores, score_images

if TYPE_CHECKING:
    from ..detection.detector import SutureDetector

OURS = "Ours"
DATASETS = {"or": "OR (A.1)",
            "or-heldout": "additional OR test (A.2), looks that no training saw",
            "simulator": "simulator (B.1)",
            "simulator-heldout": "additional simulator test, looks that no training saw"}
"""Simulated domains in the place of the paper's data sets."""

HELD_OUT = ("or-heldout", "simulator-heldout")


@dataclass(frozen=True)
class Design:
    """What a line of the tables is about: ``experiment`` and the spreads; ``shape`` "gauss", "tanh" or "" for ours."""

    experiment: str
    shape: str = ""
    spread: float = 0.0
    sigma_2: float = 0.0

    @property
    def targets(self) -> str:
        """The distribution as the paper writes it."""
        if not self.shape:
            return "max-Gauss + offsets"
        if self.shape == "tanh":
            return f"Tanh, α = {self.spread:g}"
        return f"Gauss, σ₁ = {self.spread:g}"


@dataclass
class Outcome:
    """Scores of one design: per data set one ``Scores`` per fold, and the pooled ones."""

    design: Design
    folds: dict[str, list[Scores]] = field(default_factory=dict)
    pooled: dict[str, Scores] = field(default_factory=dict)


def design_of(detector: "SutureDetector") -> Design:
    """The design of a detector's network."""
    facts: Mapping[str, Any] = detector.origin.design
    if detector.tells_kinds:
        return Design(OURS)
    distribution = facts.get("distribution", {"shape": "gauss", "spread": 0.0})
    names = {"baseline": "Baseline", "variant-1": "Variant 1", "variant-2": "Variant 2"}
    variant = str(facts["variant"])
    return Design(names[variant], str(distribution["shape"]), float(distribution["spread"]),
                  0.0 if variant == "baseline" else float(facts["sigma_2"]))


def run_experiments(detectors: Sequence["SutureDetector"], frames: int, surgeries: int, progress: ProgressCallback,
                    should_stop: StopCheck = never_stop) -> list[Outcome]:
    """Score all detectors on ``frames`` frames of every data set.

    Detectors of one design are folds of it. A design with a single detector is scored on ``surgeries`` groups of
    frames instead, so that there is a spread too.
    """
    groups: dict[Design, list[SutureDetector]] = {}
    for detector in detectors:
        groups.setdefault(design_of(detector), []).append(detector)
    outcomes = [Outcome(design) for design in groups]
    done = 0
    for dataset in DATASETS:
        found: list[list[list[ScoredImage]]] = [[[] for _ in group] for group in groups.values()]
        for frame in labelled_frames((dataset,), frames):
            raise_if_stopped(should_stop)
            progress(done / (frames * len(DATASETS)), frame.name)
            done += 1
            for images, group in zip(found, groups.values(), strict=True):
                for entry, detector in zip(images, group, strict=True):
                    entry.append(compare(detector, frame))
        for outcome, images in zip(outcomes, found, strict=True):
            folds = images if len(images) > 1 else _groups(images[0], surgeries)
            outcome.folds[dataset] = [score_images(fold) for fold in folds]
            outcome.pooled[dataset] = score_images([image for fold in images for image in fold])
    progress(1.0, "scored")
    return sorted(outcomes, key=lambda outcome: _order(outcome.design))


def _groups(images: Sequence[ScoredImage], count: int) -> list[Sequence[ScoredImage]]:
    count = max(1, min(count, len(images)))
    return [images[number * len(images) // count:(number + 1) * len(images) // count] for number in range(count)]


def _order(design: Design) -> tuple[bool, str, bool, float, float]:
    return design.experiment == OURS, design.experiment, design.shape == "tanh", design.spread, design.sigma_2
