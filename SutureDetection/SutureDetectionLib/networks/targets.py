"""What the networks shall answer, drawn from points: heat maps, binary maps, offsets and pairings."""

from dataclasses import dataclass

import numpy as np

from .. import EXIT, UNKNOWN_KIND

GAUSS = "gauss"
TANH = "tanh"

OUR_SIGMA_CELLS = 1.0
_NEAR_CELLS = 1


@dataclass(frozen=True)
class Distribution:
    """How likelihood falls with the distance from a point (Sharan et al., Section 3.1).

    ``gauss``: exp(-d^2 / 2 spread^2), ``spread`` is sigma_1. ``tanh``: 1 - tanh(pi d / spread), ``spread`` is alpha
    = 3.5 sigma; the paper prints no formula, this radial one is near 0 at d = alpha as its figure shows.
    """

    shape: str
    spread: float

    @property
    def reach_px(self) -> int:
        """Distance beyond which the likelihood is below a thousandth."""
        return int(np.ceil(3.8 * self.spread)) if self.shape == GAUSS else int(np.ceil(1.25 * self.spread))

    def at(self, squared_distance: np.ndarray) -> np.ndarray:
        """Likelihood 0 to 1 at squared distances in pixels."""
        if self.shape == GAUSS:
            return np.exp(-0.5 * squared_distance / self.spread**2)
        return 1.0 - np.tanh(np.pi * np.sqrt(squared_distance) / self.spread)


def heat_map(points: np.ndarray, shape: tuple[int, int], distribution: Distribution) -> np.ndarray:
    """Largest likelihood over all points (N, 2) (col, row) px, on (height, width) pixels, float32.

    The largest, not the sum: close points keep a valley between them. Points need not be whole numbers.
    """
    heat = np.zeros(shape, dtype=np.float32)
    reach = distribution.reach_px
    for col, row in points:
        rows, columns = _patch(col, row, reach, shape)
        squared = (rows[:, None] - row) ** 2 + (columns[None, :] - col) ** 2
        if squared.size:
            patch = heat[rows[0]:rows[-1] + 1, columns[0]:columns[-1] + 1]
            np.maximum(patch, distribution.at(squared), out=patch, casting="same_kind")
    return heat


def binary_map(points: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """1 at the pixels that hold points (N, 2) (col, row), on (height, width) pixels, float32."""
    marks = np.zeros(shape, dtype=np.float32)
    columns, rows = np.rint(points).astype(int).reshape(-1, 2).T
    inside = (columns >= 0) & (rows >= 0) & (columns < shape[1]) & (rows < shape[0])
    marks[rows[inside], columns[inside]] = 1.0
    return marks


@dataclass(frozen=True)
class StitchTargets:
    """What our network shall answer, on a grid of (height, width) cells; all float32.

    ``heat`` (1, height, width), 1 in the cell of a point. ``offset`` (2, height, width) in cells to the nearest point,
    true where ``near`` (height, width) is 1. ``exit`` (1, height, width), 1 for an exit, true where ``known`` (height,
    width) is 1. ``pairing`` (2, height, width) in pixels to the other end, true where ``paired`` (height, width) is 1.
    """

    heat: np.ndarray
    exit: np.ndarray
    known: np.ndarray
    offset: np.ndarray
    near: np.ndarray
    pairing: np.ndarray
    paired: np.ndarray


def stitch_targets(points: np.ndarray, kinds: np.ndarray, partners: np.ndarray, shape: tuple[int, int],
                   stride: int) -> StitchTargets:
    """Targets for an image of ``shape`` (height, width) pixels and cells of ``stride`` pixels.

    ``points`` (N, 2) (col, row) px; ``kinds`` (N,) 0 entry, 1 exit, -1 unknown; ``partners`` (N,) index of
    the other end of the stitch, -1 where it is not seen.
    """
    grid = (shape[0] // stride, shape[1] // stride)
    cells = (points + 0.5) / stride - 0.5
    heat = np.maximum(heat_map(cells, grid, Distribution(GAUSS, OUR_SIGMA_CELLS)), binary_map(cells, grid))
    owner = _nearest_points(cells, grid)
    near = owner >= 0
    rows, columns = np.nonzero(near)
    owners = owner[near]
    offset, pairing, is_exit = (np.zeros((count, *grid), np.float32) for count in (2, 2, 1))
    offset[:, near] = cells[owners].T - np.stack([columns, rows])
    has_partner = partners[owners] >= 0
    pairing[:, near] = np.where(has_partner, (points[partners[owners]] - points[owners]).T, 0.0)
    is_exit[0, near] = kinds[owners] == EXIT
    known, paired = np.zeros(grid, np.float32), np.zeros(grid, np.float32)
    known[near] = kinds[owners] != UNKNOWN_KIND
    paired[near] = has_partner
    return StitchTargets(heat[None], is_exit, known, offset, near.astype(np.float32), pairing, paired)


def _nearest_points(cells: np.ndarray, grid: tuple[int, int]) -> np.ndarray:
    """Index of the nearest of ``cells`` (N, 2) (col, row) for every cell that touches its own, -1 for others."""
    owner = np.full(grid, -1)
    nearest = np.full(grid, np.inf)
    for index, (col, row) in enumerate(cells):
        rows, columns = _patch(col, row, _NEAR_CELLS, grid)
        if not (len(rows) and len(columns)):
            continue
        area = (slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1))
        squared = (rows[:, None] - row) ** 2 + (columns[None, :] - col) ** 2
        closer = squared < nearest[area]
        nearest[area][closer] = squared[closer]
        owner[area][closer] = index
    return owner


def _patch(col: float, row: float, reach: int, shape: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Rows and columns of the grid within ``reach`` of the cell that holds a place, as whole numbers."""
    middle_row, middle_col = round(float(row)), round(float(col))
    return (np.arange(max(0, middle_row - reach), min(shape[0], middle_row + reach + 1)),
            np.arange(max(0, middle_col - reach), min(shape[1], middle_col + reach + 1)))
