"""Simulated frames with labels to score detectors on, in groups that stand for surgeries."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .. import HEIGHT, WIDTH
from .scoring import ScoredImage, Scores, score_images

if TYPE_CHECKING:
    from ..detection.detector import SutureDetector
    from ..formats.labels import Labels

FIRST_SEED = 900_000_000
"""Test frames begin here: no training or validation uses these seeds."""


@dataclass(frozen=True)
class LabelledFrame:
    """An image (height, width, 3) uint8 with its labels in its pixels; ``name`` for pictures of results."""

    image: np.ndarray
    labels: "Labels"
    name: str


def labelled_frames(domains: Sequence[str], count: int, first_seed: int = FIRST_SEED) -> Iterator[LabelledFrame]:
    """``count`` simulated frames, the domains in turn."""
    from ..formats.labels import visible_labels
    from ..simulation.streams import endoscopy_frame

    for index in range(count):
        domain = domains[index % len(domains)]
        frame = endoscopy_frame(first_seed + index, domain, (HEIGHT, WIDTH))
        labels = visible_labels(frame.points, frame.kinds, frame.pair_ids, frame.visible)
        yield LabelledFrame(frame.image, labels, f"{domain}_{index:04d}")


def compare(detector: "SutureDetector", frame: LabelledFrame) -> ScoredImage:
    """What a detector finds in a frame at its threshold, beside the labels, at 288x512 pixels.

    The radii of the scores are meant there, so larger frames are brought to that size.
    """
    found = detector.detect(frame.image).at_least(detector.threshold)
    scale = np.array([WIDTH / frame.image.shape[1], HEIGHT / frame.image.shape[0]])
    return ScoredImage((found.positions + 0.5) * scale - 0.5, (frame.labels.points + 0.5) * scale - 0.5,
                       found.kinds if detector.tells_kinds else None, frame.labels.kinds)


def in_frame(positions: np.ndarray, frame: LabelledFrame) -> np.ndarray:
    """Positions (N, 2) at 288x512 pixels as ``compare`` gives them, in the frame's own pixels."""
    scale = np.array([WIDTH / frame.image.shape[1], HEIGHT / frame.image.shape[0]])
    return (positions + 0.5) / scale - 0.5


def score_detector(detector: "SutureDetector", frames: Iterable[LabelledFrame]) -> Scores:
    """Pooled scores over frames."""
    return score_images([compare(detector, frame) for frame in frames])
