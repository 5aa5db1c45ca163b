"""Fits the coefficients of ``pose.confidence`` to cases of known truth."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import linprog, minimize

from ..pose.confidence import FEATURES, LIMIT_MM, Calibration, scaled_covariance
from ..pose.solver import PoseEstimate

FOLDS = 8
ACCEPTED_SUCCESS = 0.99
REJECTED_BELOW = 0.5
QUANTILES = (0.05, 0.5, 0.95)

_NINETY = 1.645
_RIDGE = 3e-3
_ACCEPT_STEPS = np.round(np.arange(0.80, 0.996, 0.005), 3)


@dataclass(frozen=True)
class DepthCase:
    """A case of one view: its place, its estimate, the beam (3,) and the true error of the centre along it, mm."""

    place: int
    estimate: PoseEstimate
    beam: np.ndarray
    error_mm: float


@dataclass(frozen=True)
class CalibrationData:
    """Features (N, F), true errors ``mrpd_mm`` (N,), and the anatomy (N,) of each case, by number.

    ``depths`` holds for cases of one view (with their place among the N) what the depth is judged by.
    """

    features: np.ndarray
    mrpd_mm: np.ndarray
    anatomy: np.ndarray
    depths: tuple["DepthCase", ...] = ()

    @property
    def success(self) -> np.ndarray:
        """Errors below 2 mm, bool (N,)."""
        return self.mrpd_mm < LIMIT_MM

    def part(self, chosen: np.ndarray) -> "CalibrationData":
        """The chosen cases, bool (N,)."""
        return CalibrationData(self.features[chosen], self.mrpd_mm[chosen], self.anatomy[chosen])


def fit_calibration(data: CalibrationData) -> dict[str, Any]:
    """The content of the calibration file, with what cross-validation by anatomy makes of it.

    The probability from which a pose is accepted, and the width of the interval, are chosen on cases whose anatomy was
    left out of the fit.
    """
    held_out = [(fold, _fit(data.part(~fold))) for fold in _folds(data.anatomy)]
    probability = np.zeros(len(data.mrpd_mm))
    bounds = np.zeros((len(data.mrpd_mm), 2))
    for fold, known in held_out:
        probability[fold] = [1 / (1 + np.exp(-known.log_odds(row))) for row in data.features[fold]]
        quantiles = np.array([known.error_quantiles_mm(row) for row in data.features[fold]])
        bounds[fold] = quantiles[:, [0, 2]]
    logs = np.log(np.maximum(data.mrpd_mm, 1e-4))
    outside_low, outside_high = np.log(bounds[:, 0]) - logs, logs - np.log(bounds[:, 1])
    widen_low = float(np.quantile(outside_low, QUANTILES[2]))
    widen_high = float(np.quantile(outside_high, QUANTILES[2]))
    accepted_from = _acceptance(probability, data.success)
    known = _fit(data)
    known.error_low[0] -= widen_low
    known.error_high[0] += widen_high
    accepted = probability >= accepted_from
    inside = (outside_low <= widen_low) & (outside_high <= widen_high)
    arrays = {name: [round(float(value), 6) for value in getattr(known, name)]
              for name in ("mean", "scale", "logistic", "error_low", "error_median", "error_high", "typical")}
    scores = {"auroc": auroc(probability, data.success), "interval_coverage": float(inside.mean()),
              "accepted": float(accepted.mean()), "accepted_within_2mm": float(data.success[accepted].mean()),
              "brier": float(((probability - data.success) ** 2).mean())}
    return {"features": list(FEATURES), **arrays, "accepted_from": accepted_from, "rejected_below": REJECTED_BELOW,
            "depth_factor": round(_depth_factor(data, known), 4),
            "cases": len(data.mrpd_mm), "failures": int((~data.success).sum()),
            "anatomies": len(np.unique(data.anatomy)),
            "cross_validated": {name: round(value, 4) for name, value in scores.items()}}


def auroc(score: np.ndarray, positive: np.ndarray) -> float:
    """Area under the ROC curve of a score (N,) for bool labels (N,); NaN where one of the classes is missing."""
    above, below = score[positive], score[~positive]
    if not len(above) or not len(below):
        return float("nan")
    wins = (above[:, None] > below[None]).mean() + 0.5 * (above[:, None] == below[None]).mean()
    return float(wins)


def _folds(anatomy: np.ndarray) -> list[np.ndarray]:
    names = np.unique(anatomy)
    return [np.isin(anatomy, names[number::FOLDS]) for number in range(min(FOLDS, len(names)))]


def _fit(data: CalibrationData) -> Calibration:
    mean, scale = data.features.mean(axis=0), np.maximum(data.features.std(axis=0), 1e-6)
    design = np.column_stack([np.ones(len(data.features)), (data.features - mean) / scale])
    logs = np.log(np.maximum(data.mrpd_mm, 1e-4))
    low, middle, high = (_quantile_regression(design, logs, share) for share in QUANTILES)
    return Calibration(mean, scale, _logistic(design, data.success), low, middle, high,
                       np.median(data.features[data.success], axis=0), 1.0, REJECTED_BELOW, 1.0)


def _depth_factor(data: CalibrationData, known: Calibration) -> float:
    """Ratio of true to expected depth errors in one view, by the value that 90 of 100 good poses stay below."""
    ratios = []
    for case in data.depths:
        if data.success[case.place]:
            features = data.features[case.place]
            covariance = scaled_covariance(case.estimate, features, known.error_quantiles_mm(features)[1])
            ratios.append(abs(case.error_mm) / np.sqrt(case.beam @ covariance[3:, 3:] @ case.beam))
    return float(np.quantile(ratios, 0.9)) / _NINETY if ratios else 1.0


def _logistic(design: np.ndarray, positive: np.ndarray) -> np.ndarray:
    """Ridge logistic regression; the constant is free."""
    sign = np.where(positive, 1.0, -1.0)
    ridge = _RIDGE * len(sign) * np.r_[0.0, np.ones(design.shape[1] - 1)]

    def loss(weights: np.ndarray) -> tuple[float, np.ndarray]:
        margin = sign * (design @ weights)
        slope = -sign / (1 + np.exp(np.clip(margin, -500, 500)))
        return (float(np.logaddexp(0, -margin).sum() + 0.5 * (ridge * weights**2).sum()),
                design.T @ slope + ridge * weights)

    return minimize(loss, np.zeros(design.shape[1]), jac=True, method="L-BFGS-B").x


def _quantile_regression(design: np.ndarray, values: np.ndarray, share: float) -> np.ndarray:
    """Linear quantile regression (Koenker and Bassett, 1978), as the dual of its linear programme.

    The dual has one bounded variable a case and one equation a coefficient; the coefficients are its multipliers.
    """
    solution = linprog(-values, A_eq=design.T, b_eq=(1 - share) * design.sum(axis=0), bounds=(0, 1), method="highs")
    return -solution.eqlin.marginals


def _acceptance(probability: np.ndarray, success: np.ndarray) -> float:
    """The lowest probability from which at least 99 % are within 2 mm, there and at every stricter one."""
    chosen = 1.0
    for step in _ACCEPT_STEPS[::-1]:
        accepted = probability >= step
        if accepted.any() and success[accepted].mean() < ACCEPTED_SUCCESS:
            break
        chosen = float(step)
    return chosen
