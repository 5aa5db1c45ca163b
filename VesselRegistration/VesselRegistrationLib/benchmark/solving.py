"""Solves cases: the solver, its confidence, and the baselines."""

import time
from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from ..matching.overlap import binary_overlap
from ..pose.confidence import FEATURES, Calibration, assess, pose_features
from ..pose.evidence import ViewEvidence
from ..pose.quality import judge_pose
from ..pose.refusal import refusal
from ..pose.rigid import move_points
from ..pose.solver import FINE_SCALE_MM, JUDGE_SIZE, REFINING, PoseEstimate, PoseModel, solve_pose
from .anatomies import load_anatomy
from .baselines import (
    AFFINE_NETWORK,
    BEST_AFFINE,
    ICP,
    BaselineOutcome,
    affine_network_outcomes,
    best_affine_outcome,
    icp_outcome,
)
from .cases import NETWORK, WRONG, Case, CaseSpec, build_case
from .measures import overlap_with_truth, pose_errors
from .network_masks import build_network_case
from .outcome import CaseOutcome, SolverOutcome

_NONE, _CONSTANT = np.zeros(len(FEATURES)), np.zeros(len(FEATURES) + 1)
NEUTRAL = Calibration(_NONE, np.ones(len(FEATURES)), _CONSTANT, _CONSTANT, _CONSTANT, _CONSTANT, _NONE, 1.0, 0.0, 1.0)
"""Knows nothing: for the runs from which the calibration itself is made."""


def solve_cases(specs: Sequence[CaseSpec], baselines: Sequence[str]) -> list[CaseOutcome]:
    """Solve cases in turn in this process, with the named baselines."""
    return [solve_case(spec, baselines) for spec in specs]


def solve_case(spec: CaseSpec, baselines: Sequence[str]) -> CaseOutcome:
    """Build a case, solve it and compare."""
    case = build_network_case(spec) if spec.mask == NETWORK else build_case(spec)
    model = _prepared(spec.source)
    evidence = [ViewEvidence.from_mask(view, mask, usable)
                for view, mask, usable in zip(case.geometry.views, case.masks, case.usable, strict=True)]
    dice = np.mean([binary_overlap(mask, clean & usable).dice
                    for mask, clean, usable in zip(case.masks, case.clean, case.usable, strict=True)])
    refused = refusal(model, evidence, case.geometry.start) or ""
    solver = None if refused else _solved(case, model, evidence)
    start = pose_errors(case.anatomy.model, case.geometry, case.geometry.start)
    compared = {} if spec.mask == WRONG else _compared(case, model, evidence, baselines)
    return CaseOutcome(spec, case.anatomy.name, float(dice), start, solver, refused, compared)


def _solved(case: Case, model: PoseModel, evidence: Sequence[ViewEvidence]) -> SolverOutcome:
    geometry = case.geometry
    estimate, search_cpu_s, cpu_s = timed_solution(model, evidence, geometry.start)
    pose = estimate.model_to_world
    calibration = NEUTRAL if case.spec.calibration else None
    confidence = assess(estimate, evidence, calibration)
    truth = judge_pose(model.fine, evidence, geometry.truth, JUDGE_SIZE, FINE_SCALE_MM)
    beam = geometry.views[0].beam_direction
    centre = model.fine.centre[None]
    apart = (move_points(pose, centre) - move_points(geometry.truth, centre))[0]
    return SolverOutcome(
        errors=pose_errors(case.anatomy.model, geometry, pose), search_cpu_s=search_cpu_s, cpu_s=cpu_s,
        overlap=overlap_with_truth(case, pose), estimate=estimate, features=pose_features(estimate, evidence),
        true_score=truth.score, depth_error_mm=float(beam @ apart), beam=beam,
        probability=confidence.probability_within_2mm, interval_mm=confidence.mrpd_interval_mm,
        status=confidence.status, reason=confidence.reason)


def timed_solution(
    model: PoseModel, evidence: Sequence[ViewEvidence], start: np.ndarray
) -> tuple[PoseEstimate, float, float]:
    """The solver's estimate, with the CPU seconds of its global stage and of all of it."""
    begin = time.process_time()
    refining = [begin]

    def listen(fraction: float, text: str) -> None:
        if text == REFINING and len(refining) == 1:
            refining.append(time.process_time())

    estimate = solve_pose(model, evidence, start, progress=listen)
    return estimate, refining[-1] - begin, time.process_time() - begin


def _compared(
    case: Case, model: PoseModel, evidence: Sequence[ViewEvidence], baselines: Sequence[str]
) -> dict[str, BaselineOutcome]:
    outcomes = {}
    if ICP in baselines:
        outcomes[ICP] = icp_outcome(case, model, evidence)
    if BEST_AFFINE in baselines:
        outcomes[BEST_AFFINE] = best_affine_outcome(case)
    if AFFINE_NETWORK in baselines:
        outcomes |= affine_network_outcomes(case)
    return outcomes


@lru_cache(maxsize=2)
def _prepared(source: str) -> PoseModel:
    return PoseModel(load_anatomy(source).model)
