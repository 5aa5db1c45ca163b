"""How well identities are kept over a video (Ristani et al. 2016: IDF1)."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment


@dataclass(frozen=True)
class IdentifiedPoints:
    """Points of one frame: positions (N, 2) px and identities (N,)."""

    positions: np.ndarray
    identities: np.ndarray


def identity_f1(found: Sequence[IdentifiedPoints], truth: Sequence[IdentifiedPoints], radius: float) -> float:
    """Share of points with the right identity: F1 under the best one-to-one match of tracks to true points.

    A found point agrees with a true one of the same frame that is nearer than ``radius`` px.
    """
    found_ids = _all_identities(found)
    true_ids = _all_identities(truth)
    together = np.zeros((len(found_ids), len(true_ids)))
    for frame, reference in zip(found, truth, strict=True):
        distance = np.linalg.norm(frame.positions[:, None, :] - reference.positions[None, :, :], axis=2)
        rows, columns = np.nonzero(distance < radius)
        np.add.at(together, (np.searchsorted(found_ids, frame.identities[rows]),
                             np.searchsorted(true_ids, reference.identities[columns])), 1.0)
    rows, columns = linear_sum_assignment(-together)
    right = together[rows, columns].sum()
    total = sum(len(frame.identities) for frame in found) + sum(len(frame.identities) for frame in truth)
    return float(2.0 * right / total) if total else float("nan")


def _all_identities(frames: Sequence[IdentifiedPoints]) -> np.ndarray:
    return np.unique(np.concatenate([frame.identities for frame in frames])) if frames else np.zeros(0, int)
