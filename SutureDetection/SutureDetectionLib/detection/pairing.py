"""Which two points are the ends of one stitch, and which of them is the entry.

The stitches of an operation follow each other round the annulus, all in the same sense and of much the same length.
Neighbours along the ring can still be grouped in two ways: the way that a point expects to its other end, often far
too short but mostly in the right direction, decides between them over all points together.
"""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment

from .. import ENTRY, EXIT
from .points import UNPAIRED

_TOLERANCE_PX = 5.0
_TOLERANCE_SHARE = 0.3
"""The other end may lie this far, plus this share of the predicted distance, from where it is expected."""

_LONGEST_PX = 75.0
_USUAL_PX = 27.0
_FIRST_SPREAD = 0.5
_SPREAD = 0.25
"""Length of a stitch in an image of 512x288 pixels, and its spread as a natural logarithm: over all operations, and
within one image."""

_CLEAR_PX = 8.0
"""An expected way of this length shows its direction as clearly as a longer one."""

_LEAST_DOUBT = 0.12
"""A network is no surer than this of a kind, whatever it says."""

_SURE = 0.4
"""Points of this confidence are mostly points."""

# Weights, as natural logarithms of odds.
_FOR_A_PAIR = 1.0
_AGREEMENT = 8.0
_DIRECTION = 0.9
_SENSE = 1.5
_RADIAL = 1.0
_BETWEEN = 2.5
_FURTHEST = 3.0
_MARGIN = 1.5
"""By so much must the best grouping be better than the best one without a pair, or the pair is left out."""


def pair_stitches(positions: np.ndarray, to_partner: np.ndarray, exit_probability: np.ndarray,
                  confidence: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Pair numbers (N,), -1 where no other end is clear, and kinds (N,), 0 entry, 1 exit.

    ``positions`` (N, 2) (col, row) px of an image of 512x288; ``to_partner`` (N, 2) px, the way that each point expects
    to its other end; ``exit_probability`` (N,); ``confidence`` (N,) that there is a point, 1 where it is left out. The
    grouping with the best sum of odds is taken, of it the pairs without which all groupings are clearly worse. The
    ends of a pair are of different kinds, so what is known of one tells of the other.
    """
    pair_ids = np.full(len(positions), UNPAIRED)
    kinds = np.where(exit_probability > 0.5, EXIT, ENTRY)
    known = np.ones(len(positions)) if confidence is None else confidence
    # Surer points come first: most of the others are no points at all, but would make the grouping ambiguous.
    for sure in (known >= _SURE, known >= 0.0):
        free = np.flatnonzero(sure & (pair_ids == UNPAIRED))
        if len(free) < 2:
            continue
        evidence = _Evidence.of(positions[free], to_partner[free], exit_probability[free], known[free])
        for one, two in free[_clear_pairs(evidence)]:
            pair_ids[one] = pair_ids[two] = pair_ids.max() + 1
            kinds[one], kinds[two] = ENTRY, EXIT
    return pair_ids, kinds


def _clear_pairs(evidence: "_Evidence") -> np.ndarray:
    """Entries and exits (n, 2) of the best grouping, without the pairs that could as well be others."""
    grouping, other = _both_senses(evidence.odds(np.log(_USUAL_PX), _FIRST_SPREAD))
    if len(grouping.pairs):
        length = float(np.median(evidence.log_distance[tuple(grouping.pairs.T)]))
        grouping, other = _both_senses(evidence.odds(length, _SPREAD))
    clear = []
    for one, two in grouping.pairs:
        without = max(_without(grouping.odds, one, two), _without(other.odds, one, two))
        if grouping.total - without >= _MARGIN:
            forward = grouping.directed[one, two] >= grouping.directed[two, one]
            clear.append((one, two) if forward else (two, one))
    return np.array(clear, dtype=int).reshape(-1, 2)


@dataclass(frozen=True)
class _Evidence:
    """What speaks for each of N points as entry (rows) and each as exit (columns) of one stitch, all (N, N).

    ``same`` does not depend on the direction; ``kinds`` and ``turn``, -1 to 1, positive where the way from the
    entry to the exit turns round the middle of all points as from the column axis to the row axis, do.
    """

    same: np.ndarray
    kinds: np.ndarray
    turn: np.ndarray
    log_distance: np.ndarray

    @classmethod
    def of(cls, positions: np.ndarray, to_partner: np.ndarray, exit_probability: np.ndarray,
           confidence: np.ndarray) -> "_Evidence":
        way = positions[None, :, :] - positions[:, None, :]
        distance = np.maximum(np.linalg.norm(way, axis=2), 1e-6)
        unit = way / distance[:, :, None]
        error = np.linalg.norm(way - to_partner[:, None, :], axis=2)
        error = error / (_TOLERANCE_PX + _TOLERANCE_SHARE * np.linalg.norm(to_partner, axis=1))[:, None]
        agreement = np.maximum(1.0 - np.maximum(error, error.T), 0.0)
        towards = np.clip(np.einsum("ijk,ik->ij", unit, to_partner) / _CLEAR_PX, -1.0, 1.0)
        middle = (positions[:, None, :] + positions[None, :, :]) / 2
        outward = middle - positions.mean(axis=0)
        outward = outward / np.maximum(np.linalg.norm(outward, axis=2), 1e-6)[:, :, None]
        turn = outward[:, :, 0] * unit[:, :, 1] - outward[:, :, 1] * unit[:, :, 0]
        radial = np.einsum("ijk,ijk->ij", outward, unit) ** 2
        known = np.log(np.maximum(confidence, 1e-3))
        same = (_FOR_A_PAIR + _AGREEMENT * agreement + _DIRECTION * (towards + towards.T) - _RADIAL * radial
                - _BETWEEN * _between(positions, middle, distance, confidence) + known[:, None] + known[None, :])
        same = np.where((distance > _LONGEST_PX) & (agreement == 0.0), -np.inf, same)
        np.fill_diagonal(same, -np.inf)
        doubt = np.clip(exit_probability, _LEAST_DOUBT, 1.0 - _LEAST_DOUBT)
        kinds = np.log(2.0 * (1.0 - doubt))[:, None] + np.log(2.0 * doubt)[None, :]
        return cls(same, kinds, turn, np.log(distance))

    def odds(self, length: float, spread: float) -> tuple[np.ndarray, np.ndarray]:
        """Of entry (rows) and exit (columns), for either sense round the ring; ``length`` is that of a stitch, log."""
        unusual = np.minimum(0.5 * ((self.log_distance - length) / spread) ** 2, _FURTHEST)
        plain = self.same + self.kinds - unusual
        return plain + _SENSE * self.turn, plain - _SENSE * self.turn


def _between(positions: np.ndarray, middle: np.ndarray, distance: np.ndarray, confidence: np.ndarray) -> np.ndarray:
    """(N, N) how sure it is that another point lies between two: well inside the circle over them."""
    apart = np.linalg.norm(middle[:, :, None, :] - positions[None, None, :, :], axis=3)
    return np.where(apart < 0.45 * distance[:, :, None], confidence, 0.0).max(axis=2)


@dataclass(frozen=True)
class _Grouping:
    """``pairs`` (n, 2) of points with the sum ``total`` of their ``odds`` (N, N), symmetric, and those ``directed``."""

    pairs: np.ndarray
    total: float
    odds: np.ndarray
    directed: np.ndarray


def _both_senses(directed: tuple[np.ndarray, np.ndarray]) -> tuple[_Grouping, _Grouping]:
    """The groupings for the two senses round the ring, the better one first."""
    found = []
    for one_sense in directed:
        odds = np.maximum(one_sense, one_sense.T)
        pairs = _grouped(odds)
        found.append(_Grouping(pairs, float(odds[tuple(pairs.T)].sum()), odds, one_sense))
    return (found[0], found[1]) if found[0].total >= found[1].total else (found[1], found[0])


def _without(odds: np.ndarray, one: int, two: int) -> float:
    """The best total where these two are no pair."""
    less = odds.copy()
    less[one, two] = less[two, one] = -np.inf
    return float(less[tuple(_grouped(less).T)].sum())


def _grouped(odds: np.ndarray) -> np.ndarray:
    """Pairs (n, 2) with the largest sum of symmetric odds (N, N); a point without a pair counts 0.

    An assignment of the points to each other falls into cycles. Those of two are pairs; a longer one is parted into
    its every other step, the better half of them.
    """
    gain = np.where(odds > 0.0, odds, -1e6)
    np.fill_diagonal(gain, 0.0)
    _, after = linear_sum_assignment(gain, maximize=True)
    pairs: list[tuple[int, int]] = []
    seen = np.zeros(len(odds), bool)
    for start in range(len(odds)):
        cycle: list[int] = []
        point = start
        while not seen[point]:
            seen[point] = True
            cycle.append(point)
            point = int(after[point])
        pairs += _parted(cycle, odds)
    return np.array(pairs, dtype=int).reshape(-1, 2)


def _parted(cycle: list[int], odds: np.ndarray) -> list[tuple[int, int]]:
    """The best pairs of neighbours in a cycle: every other step, in an odd one all but one point."""
    count = len(cycle)
    if count < 2:
        return []
    options = [[(cycle[(first + 2 * step) % count], cycle[(first + 2 * step + 1) % count])
                for step in range(count // 2)] for first in range(count if count % 2 else 2)]
    return max(options, key=lambda option: sum(odds[pair] for pair in option))
