"""Matching networks, judged on pairs of silhouettes whose motion is known."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from scipy.ndimage import affine_transform

from ..errors import UserError
from ..matching.affine_matching import AffineMatcher
from ..matching.overlap import binary_overlap
from ..networks.weights import load_card
from ..progress import ProgressCallback, StopCheck, ignore_progress, never_stop, raise_if_stopped
from ..simulation.domains import DOMAINS
from ..simulation.known_pairs import KnownPair, known_pair
from ..simulation.streams import anatomy_seed
from ..training.split import vessel_seed
from .frames import FIRST_SEED, split_of
from .outcomes import NetworkOutcome

MISSING = 0.25


@dataclass(frozen=True)
class PairCase:
    """Which pair: a domain of the simulator, a field of view and a number within them.

    ``missing`` is the share of the branches without contrast in the X-ray; with ``faults`` its mask has also the rough
    edges, blobs, wires and holes of a segmentation.
    """

    domain: str
    field_of_view: str
    case: int
    missing: float = MISSING
    faults: bool = False

    @property
    def seed(self) -> int:
        """The simulator's seed."""
        return vessel_seed(split_of(self.domain), FIRST_SEED + self.case)

    def make(self) -> KnownPair:
        """The pair, always the same one."""
        return known_pair(self.field_of_view, self.seed, domain=self.domain, missing=self.missing, faults=self.faults)


def pair_cases(domains: Sequence[str], fields_of_view: Sequence[str], count: int, first: int = 0,
               missing: float = MISSING, faults: bool = False) -> list[PairCase]:
    """``count`` pairs of every domain, the fields of view in turn. Raises UserError for a domain that is not there, or
    a share of missing branches that cannot be."""
    if not 0.0 <= missing <= 0.9:
        raise UserError(f"The share {missing:g} of missing branches is impossible: give one from 0 to 0.9.")
    for domain in domains:
        if domain not in DOMAINS:
            raise UserError(f"There is no domain '{domain}': choose from {', '.join(DOMAINS)}.")
    turns = len(fields_of_view)
    return [PairCase(domain, fields_of_view[case % turns], case // turns, missing, faults)
            for domain in domains for case in range(first, first + count)]


def load_matchers(names: Sequence[str], device: str = "auto") -> dict[str, AffineMatcher]:
    """Matchers by the names of shipped networks, cards or weights files. Raises UserError where one cannot be used."""
    return {Path(name).stem: AffineMatcher(load_card(name), device) for name in names}


def evaluate_matching(matchers: Mapping[str, AffineMatcher], cases: Sequence[PairCase], *,
                      progress: ProgressCallback = ignore_progress,
                      should_stop: StopCheck = never_stop) -> list[NetworkOutcome]:
    """Every network with its refinement on every pair. A fit with a warning counts as refused. Raises Cancelled."""
    outcomes = []
    for number, case in enumerate(cases):
        raise_if_stopped(should_stop)
        progress(number / len(cases), f"pair {number}")
        pair = case.make()
        outcomes += [_judged(name, matcher, case, pair, number, should_stop) for name, matcher in matchers.items()]
    progress(1.0, "evaluated")
    return outcomes


def corner_error_px(found: np.ndarray, truth: np.ndarray, shape: tuple[int, int]) -> float:
    """Mean distance, px, between an image's corners as two matrices (2, 3), px (col, row), place them."""
    rows, columns = shape
    corners = np.array([(col, row, 1.0) for col in (-0.5, columns - 0.5) for row in (-0.5, rows - 0.5)])
    return float(np.linalg.norm(corners @ (found - truth).T, axis=1).mean())


def moved(mask: np.ndarray, affine: np.ndarray) -> np.ndarray:
    """A mask (rows, columns) moved by a matrix (2, 3) px (col, row), bool."""
    inverse = np.linalg.inv(np.vstack([affine, [0.0, 0.0, 1.0]]))
    return affine_transform(mask.astype(np.float32), inverse[:2, :2][::-1, ::-1], inverse[:2, 2][::-1], order=1) > 0.5


def _judged(name: str, matcher: AffineMatcher, case: PairCase, pair: KnownPair, number: int,
            should_stop: StopCheck) -> NetworkOutcome:
    match = matcher.match(pair.moving, pair.fixed, should_stop=should_stop)
    shape = (pair.moving.shape[0], pair.moving.shape[1])
    error = corner_error_px(match.affine, pair.affine, shape)
    overlap = binary_overlap(moved(pair.moving, match.affine), moved(pair.moving, pair.affine))
    values = {"corner_px": error, "network_corner_px": corner_error_px(match.network_affine, pair.affine, shape),
              **{key: float(value) for key, value in asdict(overlap).items()}, "refused": float(bool(match.warning)),
              "accepted_corner_px": float("nan") if match.warning else error}
    return NetworkOutcome(name, case.domain, f"{case.field_of_view} "
                          f"{anatomy_seed(case.seed, case.domain)}", f"{case.domain} {case.field_of_view} {case.case}",
                          number, values)
