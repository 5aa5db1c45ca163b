"""How found points compare with labelled ones (Sharan et al., Section 3.3)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

RADII_PX = (6.0, 8.0, 10.0)
"""A label counts as found if a point lies nearer than this; the paper's radii, at 288x512 pixels."""

CLOSE_PX = 15.0
"""Labels with a neighbour nearer than this are close ones (Section 5.1)."""


@dataclass(frozen=True)
class Matches:
    """Which found point belongs to which label in one image.

    ``pairs`` (K, 2), index of the found point and of the label; ``distances`` (K,) px; ``extra`` and ``missed`` are
    the indices of found points and of labels without a partner.
    """

    pairs: np.ndarray
    distances: np.ndarray
    extra: np.ndarray
    missed: np.ndarray


def match_points(found: np.ndarray, labels: np.ndarray, radius: float = RADII_PX[0]) -> Matches:
    """Match found points (N, 2) to labels (M, 2), closest pair first, each at most once, nearer than ``radius`` px."""
    found, labels = np.reshape(found, (-1, 2)), np.reshape(labels, (-1, 2))
    distance = np.linalg.norm(found[:, None, :] - labels[None, :, :], axis=2)
    rows, columns = np.nonzero(distance < radius)
    order = np.argsort(distance[rows, columns], kind="stable")
    free_found, free_labels = np.ones(len(found), dtype=bool), np.ones(len(labels), dtype=bool)
    pairs = []
    for row, column in zip(rows[order], columns[order], strict=True):
        if free_found[row] and free_labels[column]:
            free_found[row] = free_labels[column] = False
            pairs.append((row, column))
    taken = np.array(pairs, dtype=int).reshape(-1, 2)
    return Matches(taken, distance[taken[:, 0], taken[:, 1]], np.flatnonzero(free_found), np.flatnonzero(free_labels))


def close_labels(labels: np.ndarray, limit: float = CLOSE_PX) -> np.ndarray:
    """Which labels (M, 2) have another one nearer than ``limit`` px; (M,) bool."""
    distance = np.linalg.norm(labels[:, None, :] - labels[None, :, :], axis=2)
    np.fill_diagonal(distance, np.inf)
    return (distance < limit).any(axis=1)


@dataclass(frozen=True)
class Tally:
    """True positives, false positives and false negatives, pooled over images."""

    tp: int = 0
    fp: int = 0
    fn: int = 0

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(self.tp + other.tp, self.fp + other.fp, self.fn + other.fn)

    @property
    def ppv(self) -> float:
        """Share of the found points that are right; NaN where none was found."""
        return _share(self.tp, self.tp + self.fp)

    @property
    def tpr(self) -> float:
        """Share of the labels that were found; NaN where there are none."""
        return _share(self.tp, self.tp + self.fn)

    @property
    def f1(self) -> float:
        """Harmonic mean of the two."""
        return _share(2 * self.tp, 2 * self.tp + self.fp + self.fn)


@dataclass(frozen=True)
class Scores:
    """Scores of a set of images.

    ``by_radius`` maps the radius in px to pooled counts; ``close`` and ``apart`` count the labels of the two subsets
    at 6 px (their ``fp`` is 0: a false point belongs to no label). ``rmse_px`` is the mean over the images with found
    points and labels; ``images_without_points`` could not be part of it. ``median_px`` is the median distance of the
    true positives at 6 px, ``right_kind`` the share of them whose kind is right, NaN where kinds are unknown.
    """

    images: int
    by_radius: dict[float, Tally]
    close: Tally
    apart: Tally
    rmse_px: float
    images_without_points: int
    median_px: float
    right_kind: float = float("nan")
    extra: dict[str, float] = field(default_factory=dict)

    @property
    def tally(self) -> Tally:
        """Counts at the first radius."""
        return self.by_radius[RADII_PX[0]]


@dataclass(frozen=True)
class ScoredImage:
    """Found points and labels of one image: positions (N, 2), (M, 2) px; kinds (N,), (M,) or None."""

    found: np.ndarray
    labels: np.ndarray
    found_kinds: np.ndarray | None = None
    label_kinds: np.ndarray | None = None


def score_images(images: Sequence[ScoredImage], radii: Iterable[float] = RADII_PX) -> Scores:
    """Pooled scores of images; the first radius is the one for subsets, distances and kinds."""
    radii = tuple(radii)
    by_radius = dict.fromkeys(radii, Tally())
    close, apart = Tally(), Tally()
    distances: list[float] = []
    errors: list[float] = []
    kinds: list[bool] = []
    for image in images:
        for radius in radii:
            matches = match_points(image.found, image.labels, radius)
            by_radius[radius] += Tally(len(matches.pairs), len(matches.extra), len(matches.missed))
        matches = match_points(image.found, image.labels, radii[0])
        is_close = close_labels(image.labels)
        hit = np.isin(np.arange(len(image.labels)), matches.pairs[:, 1])
        close += Tally(int((hit & is_close).sum()), 0, int((~hit & is_close).sum()))
        apart += Tally(int((hit & ~is_close).sum()), 0, int((~hit & ~is_close).sum()))
        distances.extend(matches.distances)
        kinds.extend(_kinds_right(image, matches))
        if len(image.found) and len(image.labels):
            errors.append(root_mean_square_error(image.found, image.labels))
    empty = sum(len(image.found) == 0 for image in images)
    return Scores(len(images), by_radius, close, apart, _mean(errors), empty,
                  float(np.median(distances)) if distances else float("nan"), _mean(kinds))


def root_mean_square_error(found: np.ndarray, labels: np.ndarray) -> float:
    """Root mean square distance in px of every found point (N, 2) to its nearest label (M, 2), as the paper has it.

    It does not see missed labels, and one false point far off outweighs all others.
    """
    nearest = np.linalg.norm(found[:, None, :] - labels[None, :, :], axis=2).min(axis=1)
    return float(np.sqrt(np.mean(nearest**2)))


def _kinds_right(image: ScoredImage, matches: Matches) -> Sequence[bool]:
    if image.found_kinds is None or image.label_kinds is None or not len(matches.pairs):
        return ()
    found, labels = image.found_kinds[matches.pairs[:, 0]], image.label_kinds[matches.pairs[:, 1]]
    known = (found >= 0) & (labels >= 0)
    return list(found[known] == labels[known])


def _share(part: float, whole: float) -> float:
    return part / whole if whole else float("nan")


def _mean(values: Sequence[float] | Sequence[bool]) -> float:
    return float(np.mean(values)) if len(values) else float("nan")
