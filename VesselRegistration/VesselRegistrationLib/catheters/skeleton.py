"""From a mask of thin things to the pieces of its skeleton between ends and junctions."""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

_SHIFTS = ((0, 1), (1, 0), (0, -1), (-1, 0), (1, 1), (1, -1), (-1, -1), (-1, 1))
_SMALLEST_HOLE = 12
_SHORTEST_SPUR = 3.0


@dataclass(frozen=True)
class Piece:
    """A stretch of skeleton without junction: ``points`` (N, 2) px (col, row) in order; ``at_junction`` tells for its
    first and its last point whether it stops there because the skeleton branches."""

    points: np.ndarray
    at_junction: tuple[bool, bool]

    @property
    def length(self) -> float:
        """Length in pixels."""
        return float(np.linalg.norm(np.diff(self.points, axis=0), axis=1).sum())


def cleaned(mask: np.ndarray, smallest_speck: int) -> np.ndarray:
    """The mask (rows, columns) bool without parts below ``smallest_speck`` pixels and without pin holes."""
    parts, _ = ndimage.label(mask, structure=np.ones((3, 3)))
    sizes = np.bincount(parts.ravel())
    keep = sizes >= smallest_speck
    keep[0] = False
    mask = keep[parts]
    holes, _ = ndimage.label(~mask)
    return mask | (np.bincount(holes.ravel()) <= _SMALLEST_HOLE)[holes]


def skeleton_pieces(mask: np.ndarray) -> tuple[list[Piece], float]:
    """The pieces of the skeleton of a mask (rows, columns) bool, without spurs, and the mean width of the mask, px."""
    from skimage.morphology import skeletonize

    lines = skeletonize(np.pad(mask, 1))[1:-1, 1:-1]
    pixels = np.argwhere(lines)
    if len(pixels) == 0:
        return [], 0.0
    width = max(1.0, float(mask.sum()) / len(pixels))
    neighbours = _neighbours(pixels, lines.shape)
    pieces = _pieces(pixels[:, ::-1].astype(float), neighbours)
    shortest = max(_SHORTEST_SPUR, width)
    # A free stub beside a junction is a spur; a short way between two junctions is where two devices cross at a slant.
    return [piece for piece in pieces if not any(piece.at_junction) or piece.length >= shortest], width


def _neighbours(pixels: np.ndarray, shape: tuple[int, ...]) -> list[list[int]]:
    """Neighbours of every skeleton pixel; a diagonal does not count where a corner pixel connects the same two."""
    number = np.full((shape[0] + 2, shape[1] + 2), -1)
    row, col = (pixels + 1).T
    number[row, col] = np.arange(len(pixels))
    near = np.stack([number[row + down, col + right] for down, right in _SHIFTS], axis=1)
    for diagonal, (first, second) in enumerate(((0, 1), (1, 2), (2, 3), (3, 0)), start=4):
        near[(near[:, first] >= 0) | (near[:, second] >= 0), diagonal] = -1
    return [[other for other in line if other >= 0] for line in near.tolist()]


def _pieces(points: np.ndarray, neighbours: list[list[int]]) -> list[Piece]:
    branching = [len(near) > 2 for near in neighbours]
    seen = list(branching)
    pieces = []
    ends = [start for start, near in enumerate(neighbours)
            if not branching[start] and (len(near) < 2 or any(branching[other] for other in near))]
    for start in (*ends, *range(len(neighbours))):  # what is left after the ends are closed rings
        if seen[start]:
            continue
        way = [start]
        seen[start] = True
        while (after := next((other for other in neighbours[way[-1]] if not seen[other]), None)) is not None:
            seen[after] = True
            way.append(after)
        stops = (any(branching[other] for other in neighbours[way[0]]),
                 any(branching[other] for other in neighbours[way[-1]]))
        pieces.append(Piece(points[way], stops))
    return pieces
