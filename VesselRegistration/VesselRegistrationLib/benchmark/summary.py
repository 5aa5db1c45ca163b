"""The benchmark's numbers: per stratum, per start, per method. Everything here goes into the JSON report as it is."""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from .calibration import auroc
from .cases import MASK_BANDS, NETWORK, START_STRATA_MM, STRESS, VIEW_COUNTS, WRONG
from .measures import PoseErrors
from .outcome import SUCCESS_MM, CaseOutcome, SolverOutcome

SOLVER = "pose solver"
NEAR_START_MM = 20.0
CAPTURE_SUCCESS = 0.95
PERCENTILES = (50, 90, 95)

Row = dict[str, Any]


def accuracy_rows(outcomes: Sequence[CaseOutcome], near: bool) -> list[Row]:
    """A row per stratum and method. ``near`` takes starts up to 20 mm only. Refused cases count as failures."""
    rows = []
    for views in VIEW_COUNTS:
        for mask in (*MASK_BANDS, STRESS, NETWORK):
            chosen = [one for one in select(outcomes, views, mask)
                      if not near or one.start.mtre_mm <= NEAR_START_MM]
            rows += [row for row in (_accuracy_row(chosen, views, mask, method) for method in _methods(chosen)) if row]
    return rows


def select(outcomes: Sequence[CaseOutcome], views: int, mask: str, start: tuple[float, float] | None = None
           ) -> list[CaseOutcome]:
    """The cases of a stratum."""
    return [one for one in outcomes if one.spec.view_count == views and one.spec.mask == mask
            and (start is None or one.spec.start_mm == start)]


def capture_rows(outcomes: Sequence[CaseOutcome]) -> list[Row]:
    """Success by start, per number of views and mask, and the capture range: up to where each stratum succeeds.

    Success is mRPD < 2 mm with one view, mTRE < 2 mm with two.
    """
    rows = []
    for views in VIEW_COUNTS:
        for mask in MASK_BANDS:
            shares: list[float | None] = []
            for start in START_STRATA_MM:
                chosen = select(outcomes, views, mask, start)
                shares.append(_share(chosen, succeeded) if chosen else None)
            capture = 0.0
            for share, (_, end) in zip(shares, START_STRATA_MM, strict=True):
                if share is None or share < CAPTURE_SUCCESS:
                    break
                capture = end
            rows.append({"views": views, "mask": mask, "success": shares, "capture_range_mm": capture})
    return rows


def succeeded(outcome: CaseOutcome) -> bool:
    """Within 2 mm by what the views can show: in the plane with one view, in space with two."""
    return outcome.within_mrpd if outcome.spec.view_count == 1 else outcome.within_mtre


def overlap_rows(outcomes: Sequence[CaseOutcome]) -> list[Row]:
    """Median overlap of the found with the true silhouette, starts up to 20 mm."""
    rows = []
    for views in VIEW_COUNTS:
        for mask in (*MASK_BANDS, NETWORK):
            found = [one.solver.overlap for one in select(outcomes, views, mask)
                     if one.solver is not None and one.start.mtre_mm <= NEAR_START_MM]
            if found:
                values = np.median([(one.dice, one.precision, one.recall) for one in found], axis=0)
                rows.append({"views": views, "mask": mask, "cases": len(found), "dice": float(values[0]),
                             "precision": float(values[1]), "recall": float(values[2])})
    return rows


def time_rows(outcomes: Sequence[CaseOutcome]) -> list[Row]:
    """CPU seconds of the solver alone: until the best guesses are known, and in all."""
    rows = []
    for views in VIEW_COUNTS:
        solved = [one.solver for one in outcomes if one.solver is not None and one.spec.view_count == views]
        if solved:
            search, total = [one.search_cpu_s for one in solved], [one.cpu_s for one in solved]
            rows.append({"views": views, "cases": len(solved), "search_cpu_s": _percentiles(search),
                         "cpu_s": _percentiles(total), "mean_cpu_s": float(np.mean(total))})
    return rows


def judgement(outcomes: Sequence[CaseOutcome]) -> Row:
    """How well the solver knows when it is wrong: over all cases, with the worst masks and those of other vessels.

    The interval is judged on all cases but those of other vessels, where there is no true pose.
    """
    solved = [(one, one.solver) for one in outcomes if one.solver is not None]
    probability = np.array([solver.probability for _, solver in solved])
    within = np.array([one.within_mrpd for one, _ in solved], dtype=bool)
    regular = np.array([one.spec.mask in (*MASK_BANDS, NETWORK) for one, _ in solved], dtype=bool)
    statuses = np.array([solver.status for _, solver in solved])
    accepted = statuses == "accepted"
    covered = [_covered(solver) for one, solver in solved if one.spec.mask != WRONG]
    return {
        "cases": len(solved), "failures": int((~within).sum()),
        "auroc": _number(auroc(probability, within)),
        "auroc_without_worse_masks": _number(auroc(probability[regular], within[regular])),
        "interval_coverage": float(np.mean(covered)) if covered else None,
        "accepted": float(accepted.mean()) if solved else None,
        "accepted_within_2mm": float(within[accepted].mean()) if accepted.any() else None,
        "accepted_but_wrong": int((accepted & ~within).sum()),
        "statuses": {name: {"cases": int((statuses == name).sum()),
                            "within_2mm": float(within[statuses == name].mean())}
                     for name in ("accepted", "check", "rejected") if (statuses == name).any()},
        "reliability": _reliability(probability, within),
    }


def failure_rows(outcomes: Sequence[CaseOutcome]) -> list[Row]:
    """Every case of the ordinary strata that is not within 2 mm, with what it takes to run it again."""
    rows = []
    for one in outcomes:
        if one.spec.mask in (STRESS, WRONG) or succeeded(one):
            continue
        row: Row = {"case": one.spec.index, "seed": one.spec.seed, "anatomy": one.anatomy,
                    "views": one.spec.view_count, "mask": one.spec.mask, "mask_dice": one.mask_dice,
                    "start_mtre_mm": one.start.mtre_mm}
        if one.solver is None:
            rows.append(row | {"why": one.refusal})
            continue
        solver = one.solver
        why = "the mask misleads" if solver.estimate.quality.score >= solver.true_score else "the search missed it"
        rows.append(row | {"mtre_mm": solver.errors.mtre_mm, "mrpd_mm": solver.errors.mrpd_mm, "why": why,
                           "probability": solver.probability, "status": solver.status})
    return rows


def _methods(chosen: Sequence[CaseOutcome]) -> list[str]:
    return [SOLVER, *dict.fromkeys(name for one in chosen for name in one.baselines)]


def _accuracy_row(chosen: Sequence[CaseOutcome], views: int, mask: str, method: str) -> Row | None:
    if method == SOLVER:
        found = [(one.solver.errors, one.solver.cpu_s) if one.solver else None for one in chosen]
    else:
        found = [(one.baselines[method].errors, one.baselines[method].cpu_s) for one in chosen
                 if method in one.baselines]
    if not found:
        return None
    lost = PoseErrors(float("inf"), float("inf"))
    errors = [one[0] if one else lost for one in found]
    mtre, mrpd = np.array([one.mtre_mm for one in errors]), np.array([one.mrpd_mm for one in errors])
    return {"views": views, "mask": mask, "method": method, "cases": len(found), "mtre_mm": _percentiles(mtre),
            "mrpd_mm": _percentiles(mrpd), "success_mrpd": float((mrpd < SUCCESS_MM).mean()),
            "success_mtre": float((mtre < SUCCESS_MM).mean()),
            "mean_cpu_s": float(np.mean([one[1] for one in found if one]))}


def _percentiles(values: Sequence[float] | np.ndarray) -> dict[str, float | None]:
    """Percentiles that are values themselves; None where they are infinite, that is among refused cases."""
    found = {f"p{share}": float(np.percentile(values, share, method="higher")) for share in PERCENTILES}
    return {name: value if np.isfinite(value) else None for name, value in found.items()}


def _share(chosen: Sequence[CaseOutcome], test: Callable[[CaseOutcome], bool]) -> float:
    return float(np.mean([test(one) for one in chosen]))


def _covered(solver: SolverOutcome) -> bool:
    return solver.interval_mm[0] <= solver.errors.mrpd_mm <= solver.interval_mm[1]


def _number(value: float) -> float | None:
    return None if np.isnan(value) else value


def _reliability(probability: np.ndarray, within: np.ndarray) -> list[Row]:
    edges = (0.0, 0.1, 0.3, 0.5, 0.7, 0.9, 0.97, 1.0)
    rows = []
    for low, high in pairwise(edges):
        chosen = (probability >= low) & ((probability < high) | (high == 1.0))
        if chosen.any():
            rows.append({"from": low, "to": high, "cases": int(chosen.sum()),
                         "expected": float(probability[chosen].mean()), "within_2mm": float(within[chosen].mean())})
    return rows
