"""How far a found pose is to be trusted, from what a simulated calibration has taught.

The solver's own numbers say how well a pose explains the masks. How such numbers go with true errors was fitted on
simulated cases of known truth (``vessel-registration benchmark pose --calibrate``); the coefficients are a file of the
module's resources. A logistic model gives the probability of an in-plane error (mRPD) below 2 mm, quantile regression
of the error's logarithm gives a 90 % interval and the scale of the covariance.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import UserError
from ..matching.lifting import MINIMUM_ANGLE_DEG, largest_angle_deg
from ..registration.result import ACCEPTED, CHECK, REJECTED
from ..resources import resource_directory
from .evidence import ViewEvidence
from .solver import PoseEstimate

FEATURES = ("close_outline", "sharpness", "edge_explained", "dice", "log_in_plane_sd", "departure", "rival_gap")
LIMIT_MM = 2.0
NEAR_RIVAL_GAP = 0.1

_SMALLEST = 1e-3
_LARGEST_GAP = 0.3
_FEWEST_VISIBLE = 5


@dataclass(frozen=True)
class Calibration:
    """Coefficients. ``mean`` and ``scale`` (F,) standardise the features; the others have F + 1, the constant first.

    ``logistic`` gives the log odds of an mRPD below 2 mm; ``error_low``, ``error_median`` and ``error_high`` the 5 %,
    50 % and 95 % quantiles of log(mRPD / mm). ``typical`` (F,) are the features of good poses. From
    ``accepted_from`` a probability is accepted, below ``rejected_below`` rejected. ``depth_factor`` widens the standard
    deviation along the beam of a single view to what the errors really are.
    """

    mean: np.ndarray
    scale: np.ndarray
    logistic: np.ndarray
    error_low: np.ndarray
    error_median: np.ndarray
    error_high: np.ndarray
    typical: np.ndarray
    accepted_from: float
    rejected_below: float
    depth_factor: float

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "Calibration":
        """From what the calibration wrote. Raises KeyError or ValueError where it does not fit this version."""
        if tuple(content["features"]) != FEATURES:
            raise ValueError("other features")
        arrays = {name: np.array(content[name], dtype=float)
                  for name in ("mean", "scale", "logistic", "error_low", "error_median", "error_high", "typical")}
        return cls(**arrays, accepted_from=float(content["accepted_from"]),
                   rejected_below=float(content["rejected_below"]), depth_factor=float(content["depth_factor"]))

    def log_odds(self, features: np.ndarray) -> float:
        """Log odds of an mRPD below 2 mm for features (F,)."""
        return self._linear(self.logistic, features)

    def error_quantiles_mm(self, features: np.ndarray) -> tuple[float, float, float]:
        """5 %, 50 % and 95 % quantile of the mRPD, mm, in order."""
        logs = [self._linear(row, features) for row in (self.error_low, self.error_median, self.error_high)]
        low, middle, high = np.exp(np.clip(np.sort(logs), -7.0, 7.0))
        return float(low), float(middle), float(high)

    def _linear(self, coefficients: np.ndarray, features: np.ndarray) -> float:
        return float(coefficients[0] + coefficients[1:] @ ((features - self.mean) / self.scale))


@dataclass(frozen=True)
class PoseConfidence:
    """How far to trust a pose.

    ``probability_within_2mm`` is of the mRPD, the in-plane error; ``mrpd_interval_mm`` holds it in 90 of 100 cases
    and ``mrpd_mm`` is as often too large as too small.
    ``covariance`` (6, 6) is of a small twist about the estimate's centre: rotation vector (rad), then translation
    (mm). ``depth_sd_mm`` is the standard deviation along the first view's beam; where ``depth_observable`` is False it
    rests on the vessel's apparent size alone. ``status`` is accepted, check or rejected, ``reason`` one sentence,
    ``notes`` further sentences that the user should read.
    """

    probability_within_2mm: float
    mrpd_interval_mm: tuple[float, float]
    covariance: np.ndarray
    depth_sd_mm: float
    depth_observable: bool
    status: str
    reason: str
    notes: tuple[str, ...] = ()
    mrpd_mm: float | None = None


def assess(
    estimate: PoseEstimate, evidence: Sequence[ViewEvidence], calibration: Calibration | None = None
) -> PoseConfidence:
    """Judge a pose by the evidence it was found with. Raises UserError where the calibration file is unusable."""
    known = calibration or shipped_calibration()
    features = pose_features(estimate, evidence)
    probability = float(1.0 / (1.0 + np.exp(-known.log_odds(features))))
    low, middle, high = known.error_quantiles_mm(features)
    observable = depth_observable(evidence)
    beam = evidence[0].view.beam_direction
    covariance = scaled_covariance(estimate, features, middle)
    if not observable:
        widened = np.eye(6)
        widened[3:, 3:] += (known.depth_factor - 1) * np.outer(beam, beam)
        covariance = widened @ covariance @ widened.T
    status, reason = _status(probability, (low, high), features, estimate, known)
    if _visible(estimate, evidence) < _FEWEST_VISIBLE:
        probability, status = 0.0, REJECTED
        reason = ("The model came to lie outside the field of view: check the geometry, the mask and where the search "
                  "began.")
    return PoseConfidence(probability, (low, high), covariance, float(np.sqrt(beam @ covariance[3:, 3:] @ beam)),
                          observable, status, reason, _notes(evidence, observable), middle)


def pose_features(estimate: PoseEstimate, evidence: Sequence[ViewEvidence]) -> np.ndarray:
    """What the calibration works on (F,), in the order of ``FEATURES``."""
    quality = estimate.quality
    sharpness = np.log(max(quality.close_outline, _SMALLEST) / max(quality.wide_outline, _SMALLEST))
    in_plane = np.log(max(in_plane_sd_mm(estimate, evidence), _SMALLEST))
    return np.array([quality.close_outline, sharpness, quality.edge_explained, quality.dice, in_plane,
                     np.log1p(estimate.departure), min(estimate.rival_gap, _LARGEST_GAP)])


def scaled_covariance(estimate: PoseEstimate, features: np.ndarray, error_mm: float) -> np.ndarray:
    """Covariance (6, 6) of the estimate's twist with residuals of such a size that the in-plane error is as given."""
    in_plane = float(np.exp(features[FEATURES.index("log_in_plane_sd")]))
    return np.linalg.inv(estimate.information * (in_plane / error_mm) ** 2 + estimate.prior_information)


def in_plane_sd_mm(estimate: PoseEstimate, evidence: Sequence[ViewEvidence]) -> float:
    """Standard deviation across the beam that the solver itself expects, root mean square over points and views, mm.

    Points in the field of view count, all where none is.
    """
    covariance = np.linalg.inv(estimate.information + estimate.prior_information)
    variances = []
    for one in evidence:
        inside = _inside(estimate.points, one)
        arms = (estimate.points[inside] if inside.any() else estimate.points) - estimate.centre
        jacobian = np.zeros((len(arms), 3, 6))
        jacobian[:, :, 3:] = np.eye(3)
        for axis in range(3):
            jacobian[:, :, axis] = np.cross(np.eye(3)[axis], arms)
        across = one.view.image_axes @ jacobian
        variances.append(float(np.einsum("kij,jl,kil->k", across, covariance, across).mean()))
    return float(np.sqrt(np.mean(variances)))


def depth_observable(evidence: Sequence[ViewEvidence]) -> bool:
    """Whether two views look from directions different enough to see depth."""
    return largest_angle_deg([one.view for one in evidence]) >= MINIMUM_ANGLE_DEG


@lru_cache(maxsize=1)
def shipped_calibration() -> Calibration:
    """The calibration among the module's resources. Raises UserError where it is missing or damaged."""
    path = calibration_file()
    try:
        return Calibration.from_json(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError):
        raise UserError(f"The calibration file {path} is missing or damaged: reinstall the extension.") from None


def calibration_file() -> Path:
    """Where the coefficients lie."""
    return resource_directory() / "Weights" / "pose_confidence.json"


def _status(
    probability: float, interval: tuple[float, float], features: np.ndarray, estimate: PoseEstimate, known: Calibration
) -> tuple[str, str]:
    percent = "over 99" if probability > 0.99 else f"{100 * probability:.0f}"
    likely = f"{percent} % likely to be within {LIMIT_MM:g} mm in the image plane"
    if probability >= known.accepted_from:
        return ACCEPTED, f"The pose is {likely} (expected error below {max(interval[1], 0.1):.1f} mm)."
    why = _weakness(features, estimate, known)
    if probability >= known.rejected_below:
        return CHECK, f"The pose is only {likely}: {why}. Look at the overlay before you use it."
    return REJECTED, f"The pose is not to be used, it is only {likely}: {why}."


def _weakness(features: np.ndarray, estimate: PoseEstimate, known: Calibration) -> str:
    """What speaks most against the pose, in words."""
    if estimate.rival_gap < NEAR_RIVAL_GAP:
        return f"another pose {estimate.rival_distance_mm:.0f} mm away explains the mask nearly as well"
    quality = estimate.quality
    outline, edge = 100 * quality.close_outline, 100 * quality.edge_explained
    words = {
        "close_outline": f"only {outline:.0f} % of the model's outline has an edge of the mask close beside it",
        "sharpness": "the model's outline lies near edges of the mask but seldom on them",
        "edge_explained": f"only {edge:.0f} % of the mask's edge has the model's outline beside it",
        "dice": f"model and mask overlap too little (Dice {quality.dice:.2f})",
        "log_in_plane_sd": "what shows of the vessel leaves the pose too free",
        "departure": "it lies far from where the search began",
        "rival_gap": f"another pose {estimate.rival_distance_mm:.0f} mm away explains the mask almost as well",
    }
    against = known.logistic[1:] * (features - known.typical) / known.scale
    if not np.isfinite(estimate.rival_distance_mm):
        against[FEATURES.index("rival_gap")] = np.inf
    return words[FEATURES[int(np.argmin(against))]]


def _notes(evidence: Sequence[ViewEvidence], observable: bool) -> tuple[str, ...]:
    if observable:
        return ()
    if len(evidence) == 1:
        return ("One view does not show depth along the beam.",)
    angle = largest_angle_deg([one.view for one in evidence])
    return (f"The views look along nearly the same line ({angle:.1f} deg apart), so no depth is gained: add one at "
            f"least {MINIMUM_ANGLE_DEG:g} deg away.",)


def _visible(estimate: PoseEstimate, evidence: Sequence[ViewEvidence]) -> int:
    return max(int(_inside(estimate.points, one).sum()) for one in evidence)


def _inside(points: np.ndarray, evidence: ViewEvidence) -> np.ndarray:
    pixels, depths = evidence.view.project(points)
    return (depths > 0) & ((pixels > -0.5) & (pixels < np.array(evidence.mask.shape)[::-1] - 0.5)).all(axis=1)
