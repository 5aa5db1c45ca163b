"""What a registration found, per view and as a whole."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from ..dicom.frame import XAFrame
from ..geometry.carm import CArmView

if TYPE_CHECKING:
    from ..pose.confidence import PoseConfidence
    from ..pose.rigid import PosePrior

ACCEPTED = "accepted"
CHECK = "check"
REJECTED = "rejected"

ROI = tuple[float, float, float, float]


@dataclass(frozen=True)
class Overlap:
    """Overlap of the registered silhouette with the vessel mask, all three from the same two binary masks (0 to 1)."""

    dice: float
    precision: float
    recall: float


@dataclass(frozen=True)
class ViewResult:
    """The registration as seen in one view.

    ``mask`` (rows, columns) bool is the vessel mask that was matched and ``mask_source`` says where it came from.
    ``affine`` (2, 3) maps the initial projection's pixels (col, row) to the X-ray's pixels. ``projection`` (3, 4) maps
    model RAS mm (homogeneous) to (col, row, 1) up to scale, after registration. ``silhouette`` (rows, columns) bool is
    the registered model drawn with it; ``initial_silhouette`` the model at the initial pose.
    """

    frame: XAFrame
    view: CArmView
    mask: np.ndarray
    mask_source: str
    affine: np.ndarray
    projection: np.ndarray
    initial_silhouette: np.ndarray
    silhouette: np.ndarray
    overlap: Overlap


@dataclass(frozen=True)
class RegistrationResult:
    """The pose, how far to trust it, and how it was found.

    ``model_to_world`` (4, 4) maps model RAS mm to world mm (RAS axes, origin at the isocentre). ``status`` is
    ``accepted``, ``check`` or ``rejected`` and ``reason`` one sentence that says why. ``weights`` maps the names of the
    networks used to the SHA-256 of their weights. ``confidence`` holds the expected errors where the method knows them.
    ``found`` is False where there was nothing to register: then the pose is still the initial one and means nothing.
    ``start`` (4, 4) is the pose that the search began with and ``limits`` how near to it the pose had to stay. ``roi``
    is the part of the initial projection that was matched (X0,
    Y0, X1, Y1: first column and row inside, first ones beyond), None where it was all.
    """

    method: str
    status: str
    reason: str
    model_to_world: np.ndarray
    views: tuple[ViewResult, ...]
    timings_s: Mapping[str, float] = field(default_factory=dict)
    weights: Mapping[str, str] = field(default_factory=dict)
    roi: ROI | None = None
    confidence: "PoseConfidence | None" = None
    found: bool = True
    start: np.ndarray = field(default_factory=lambda: np.eye(4))
    limits: "PosePrior | None" = None
