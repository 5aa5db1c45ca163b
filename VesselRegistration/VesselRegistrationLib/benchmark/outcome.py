"""What is kept of a solved case."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ..pose.solver import PoseEstimate
from ..registration.result import Overlap
from .baselines import BaselineOutcome
from .cases import WRONG, CaseSpec
from .measures import PoseErrors

SUCCESS_MM = 2.0


@dataclass(frozen=True)
class SolverOutcome:
    """What the solver made of a case.

    ``search_cpu_s`` is until the best guesses are known, ``cpu_s`` all of it. ``overlap`` is with the true silhouette.
    ``true_score`` is the solver's own score of the true pose: where a wrong pose scores higher, the mask itself
    misleads; where it scores lower, the search missed it. ``depth_error_mm`` is along the first view's beam.
    """

    errors: PoseErrors
    search_cpu_s: float
    cpu_s: float
    overlap: Overlap
    estimate: PoseEstimate
    features: np.ndarray
    true_score: float
    depth_error_mm: float
    beam: np.ndarray
    probability: float
    interval_mm: tuple[float, float]
    status: str
    reason: str


@dataclass(frozen=True)
class CaseOutcome:
    """A case with its results; ``solver`` is None where it was refused, ``refusal`` then says why.

    ``mask_dice`` is the mean Dice of the masks with the true silhouettes, ``start`` the errors before anything is done.
    """

    spec: CaseSpec
    anatomy: str
    mask_dice: float
    start: PoseErrors
    solver: SolverOutcome | None
    refusal: str
    baselines: Mapping[str, BaselineOutcome]

    @property
    def within_mrpd(self) -> bool:
        """mRPD below 2 mm; never for a mask of another vessel."""
        return self.spec.mask != WRONG and self.solver is not None and self.solver.errors.mrpd_mm < SUCCESS_MM

    @property
    def within_mtre(self) -> bool:
        """mTRE below 2 mm; never for a mask of another vessel."""
        return self.spec.mask != WRONG and self.solver is not None and self.solver.errors.mtre_mm < SUCCESS_MM
