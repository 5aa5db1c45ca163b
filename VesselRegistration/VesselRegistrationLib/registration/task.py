"""What a registration method gets and gives."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from ..geometry.carm import CArmView
from ..mesh.surface import SurfaceModel
from ..pose.confidence import PoseConfidence
from ..pose.rigid import PosePrior
from ..progress import ProgressCallback, StopCheck
from .result import ROI


@dataclass(frozen=True)
class ViewTask:
    """One view to explain: its vessel ``mask`` and where the image is ``usable``, both (rows, columns) bool."""

    view: CArmView
    mask: np.ndarray
    usable: np.ndarray

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.view.rows, self.view.columns


@dataclass(frozen=True)
class PoseTask:
    """Model and views, and the pose to start from: ``initial_pose`` (4, 4), model RAS mm to world mm.

    ``roi`` is the part of the initial projection to match, all where None. ``limits`` says how near to the initial
    pose the method has to stay; None where it may search the whole image.
    """

    model: SurfaceModel
    views: tuple[ViewTask, ...]
    initial_pose: np.ndarray
    roi: ROI | None = None
    device: str = "auto"
    limits: PosePrior | None = None


@dataclass(frozen=True)
class PoseAnswer:
    """The pose ``model_to_world`` (4, 4), None where the method refuses to give one.

    ``warnings`` are sentences that say why not to trust it, the first one the reason of a refusal. ``confidence`` is
    what the method itself can say of its errors. ``weights`` maps the networks that were used to the SHA-256 of their
    weights.
    """

    model_to_world: np.ndarray | None
    warnings: tuple[str, ...] = ()
    confidence: PoseConfidence | None = None
    weights: Mapping[str, str] = field(default_factory=dict)


class PoseMethod(Protocol):
    """A way to find the pose. Raises UserError for input that it cannot use, Cancelled on request."""

    def __call__(self, task: PoseTask, progress: ProgressCallback, should_stop: StopCheck) -> PoseAnswer:
        """Find the pose."""
