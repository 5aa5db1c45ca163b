"""Joining pieces of a skeleton to whole devices: through crossings and over gaps, by continuity of direction.

Every end of a piece may go on in one other end. A join costs what the device would have to bend for it and what it has
no mask for; the cheapest set of joins is found exactly, as a minimum-cost matching.
"""

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import map_coordinates
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_matrix

from .skeleton import Piece

GAP_SHARE = 0.09
"""Widest gap without mask, and OVERLAP_SHARE the longest way that two devices share, as shares of the image's side."""
OVERLAP_SHARE = 0.22

_BEND = 0.6  # rad; bending by this much at both sides of a short join costs 2, and half of it over _BEND_SHARE
_BEND_SHARE = 0.06
_DEAREST_JOIN = 2.4
_SHARPEST_RAD = 1.4
_DIRECTION_SHARE = 0.055  # of the image's side: what the direction of an end is taken from
_STRAIGHT_PX = 7


@dataclass(frozen=True)
class _Ends:
    """Both ends of all pieces: end 2k is the first and 2k + 1 the last point of piece k."""

    places: np.ndarray
    outwards: np.ndarray


def joined(pieces: list[Piece], mask: np.ndarray, width: float) -> list[np.ndarray]:
    """Chains of points (N, 2) px (col, row), one for each device, of pieces of the skeleton of a mask of that width."""
    if not pieces:
        return []
    pieces = [_trimmed(piece, width) for piece in pieces]
    count = max(_STRAIGHT_PX, round(_DIRECTION_SHARE * max(mask.shape)))
    ends = _Ends(np.concatenate([piece.points[[0, -1]] for piece in pieces]),
                 np.concatenate([_outwards(piece.points, count) for piece in pieces]))
    return _chains(pieces, _matching(*_candidates(ends, mask, width), len(ends.places)))


def _trimmed(piece: Piece, width: float) -> Piece:
    """Without the points beside a junction, where the skeleton leans towards the other device."""
    cut = min(round(width), max(0, (len(piece.points) - 5) // 2))
    first, last = (cut if stops else 0 for stops in piece.at_junction)
    return Piece(piece.points[first:len(piece.points) - last], piece.at_junction)


def _outwards(points: np.ndarray, count: int) -> np.ndarray:
    """Unit directions (2, 2) in which a piece leaves its first and its last point, of a parabola through the last
    ``count`` points, or a line where they are few."""
    directions = []
    for line in (points, points[::-1]):
        near = line[:count]
        along = np.arange(len(near), dtype=float)
        bent = len(near) > _STRAIGHT_PX
        slope = -np.polynomial.polynomial.polyfit(along, near, 2)[1] if bent else near[0] - near[-1]
        length = np.linalg.norm(slope)
        directions.append(slope / length if length > 0 else np.zeros(2))
    return np.array(directions)


def _candidates(ends: _Ends, mask: np.ndarray, width: float) -> tuple[np.ndarray, np.ndarray]:
    """Pairs of ends (M, 2) that may be joined, and what each join costs (M,)."""
    side = max(mask.shape)
    first, second = np.triu_indices(len(ends.places), 1)
    way = ends.places[second] - ends.places[first]
    length = np.linalg.norm(way, axis=1)
    other_piece = first // 2 != second // 2
    near = other_piece & (length <= max(OVERLAP_SHARE * side, 3 * width))
    first, second, way, length = first[near], second[near], way[near], length[near]
    # Directions over a very short way mean nothing: it is prolonged into both pieces.
    reach = 1.5 * width + 2.0
    across = way + reach * (ends.outwards[first] - ends.outwards[second])
    bends = (_angle(ends.outwards[first], across), _angle(across, -ends.outwards[second]))
    bare = length * (1.0 - _covered(mask, ends.places[first], way))
    stiffness = 1.0 / (1.0 + length / (_BEND_SHARE * side))
    cost = (stiffness * (bends[0] ** 2 + bends[1] ** 2) / _BEND**2 + 1.5 * bare / (GAP_SHARE * side)
            + length / (OVERLAP_SHARE * side))
    possible = ((bare <= max(GAP_SHARE * side, 2 * width)) & (np.maximum(*bends) <= _SHARPEST_RAD)
                & (cost < _DEAREST_JOIN))
    return np.column_stack([first, second])[possible], cost[possible]


def _angle(some: np.ndarray, others: np.ndarray) -> np.ndarray:
    cross = some[:, 0] * others[:, 1] - some[:, 1] * others[:, 0]
    return np.abs(np.arctan2(cross, np.einsum("ij,ij->i", some, others)))


def _covered(mask: np.ndarray, starts: np.ndarray, ways: np.ndarray) -> np.ndarray:
    """Share (M,) of the straight ways that lies on the mask."""
    share = np.linspace(0.0, 1.0, 12)[:, None, None]
    places = starts + share * ways
    hits = map_coordinates(mask.astype(np.uint8), [places[..., 1], places[..., 0]], order=0, mode="nearest")
    return hits.mean(axis=0)


def _matching(pairs: np.ndarray, costs: np.ndarray, count: int) -> list[tuple[int, int, float]]:
    """The joins (end, end, cost) of least total cost, where a join saves the price of two loose ends."""
    if len(pairs) == 0:
        return []
    used = csr_matrix((np.ones(pairs.size), (pairs.T.ravel(), np.tile(np.arange(len(pairs)), 2))),
                      shape=(count, len(pairs)))
    if np.all(used.sum(axis=1) <= 1):
        chosen = np.ones(len(pairs), dtype=bool)
    else:
        answer = milp(costs - _DEAREST_JOIN, constraints=LinearConstraint(used, ub=1.0), bounds=Bounds(0, 1),
                      integrality=np.ones(len(pairs)))
        chosen = answer.x > 0.5
    return [(int(first), int(second), float(cost))
            for (first, second), cost in zip(pairs[chosen], costs[chosen], strict=True)]


def _chains(pieces: list[Piece], joins: list[tuple[int, int, float]]) -> list[np.ndarray]:
    """The pieces put together. Where joins close a ring, its dearest join is left open."""
    partner: dict[int, int] = {}
    ring = list(range(len(pieces)))
    for first, second, _ in sorted(joins, key=lambda join: join[2]):
        if ring[first // 2] == ring[second // 2]:
            continue
        partner[first], partner[second] = second, first
        old, new = ring[second // 2], ring[first // 2]
        ring = [new if member == old else member for member in ring]
    chains = []
    done: set[int] = set()
    for end in range(2 * len(pieces)):
        if end in partner or end // 2 in done:
            continue
        parts = []
        at: int | None = end
        while at is not None:
            points = pieces[at // 2].points
            parts.append(points if at % 2 == 0 else points[::-1])
            done.add(at // 2)
            at = partner.get(at ^ 1)
        chains.append(np.concatenate(parts))
    return chains
