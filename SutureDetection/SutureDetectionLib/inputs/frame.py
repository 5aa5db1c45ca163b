"""What all sources of frames give."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np


@dataclass(frozen=True)
class Frame:
    """``image`` (height, width, 3) uint8 RGB; ``name`` the file's; ``number`` counts the frames of a source from 0."""

    image: np.ndarray
    name: str
    number: int


@dataclass(frozen=True)
class Problem:
    """A frame that cannot be used: one sentence says why and what to do."""

    reason: str
    name: str
    number: int


class FrameSource(Protocol):
    """Frames in their order; those that cannot be used come as problems, and the others go on.

    ``follows`` is True where the frames follow each other in time, ``rate`` then in frames per second where it is
    known; ``count`` is the number of frames, None where it is not known beforehand.
    """

    path: Path
    follows: bool
    rate: float | None
    count: int | None

    def frames(self) -> Iterator[Frame | Problem]:
        """All frames, read one by one."""
