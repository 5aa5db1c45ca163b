"""A benchmark run from beginning to end, and the calibration of the solver's confidence."""

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..progress import ProgressCallback, StopCheck, ignore_progress, never_stop
from .anatomies import anatomy_sources, load_anatomy
from .baselines import AFFINE_NETWORK, BEST_AFFINE, ICP, affine_network_missing
from .calibration import CalibrationData, DepthCase, fit_calibration
from .cases import NETWORK, WRONG, plan_cases, plan_network_cases
from .memory import peak_memory_mib
from .network_masks import networks_missing
from .outcome import CaseOutcome
from .peer import compare_with_peer, require_peer
from .report import RunFacts, report_as_dict
from .workers import solve_everywhere

DEFAULT_CASES = 210
FULL_CASES = 2000
CALIBRATION_CASES = 900
NETWORK_SHARE = 7
"""One case with a mask of our networks for so many others."""

_FAR_OFF_MM = 20.0


@dataclass(frozen=True)
class BenchmarkRequest:
    """What to run: ``cases`` of the ordinary strata (others come on top), on simulated anatomies and ``models``.

    ``scheduler`` is the address of a Dask scheduler; ``workers`` processes are used without one. ``peer`` compares
    with nanodrr on a few cases more.
    """

    cases: int = DEFAULT_CASES
    seed: int = 0
    models: tuple[Path, ...] = ()
    workers: int = 0
    scheduler: str | None = None
    peer: bool = False
    command: str = ""

    @property
    def processes(self) -> int:
        """How many processes: as asked, or one for each CPU."""
        return self.workers or os.cpu_count() or 1


def run_benchmark(
    request: BenchmarkRequest, progress: ProgressCallback = ignore_progress, should_stop: StopCheck = never_stop
) -> tuple[list[CaseOutcome], dict[str, Any]]:
    """Solve all cases and give their outcomes and the content of the report.

    Raises UserError for meshes that cannot be used, or where the peer is asked for and not installed.
    """
    if request.peer:
        require_peer()
    begin = time.perf_counter()
    sources = _checked(request.models)
    specs = plan_cases(sources, request.cases, request.seed)
    baselines, left_out = [ICP, BEST_AFFINE], []
    missing = affine_network_missing()
    if missing is None:
        baselines.append(AFFINE_NETWORK)
    else:
        left_out.append(f"the paper's affine network. {missing}")
    missing = networks_missing()
    if missing is None:
        specs += plan_network_cases(sources, max(1, request.cases // NETWORK_SHARE), request.seed, len(specs))
    else:
        left_out.append(f"masks of our networks on simulated frames. {missing}")
    outcomes = solve_everywhere(specs, baselines, request.processes, request.scheduler, progress, should_stop)
    largest = max((spec for spec in specs if spec.mask != NETWORK), key=lambda spec: (spec.view_count, -spec.index))
    wall_s = time.perf_counter() - begin
    peer = compare_with_peer(sources, request.seed, progress, should_stop) if request.peer else None
    facts = RunFacts(request.command, request.seed, wall_s, request.processes, peak_memory_mib(largest),
                     tuple(left_out), peer)
    return outcomes, report_as_dict(outcomes, facts)


def run_calibration(
    request: BenchmarkRequest, progress: ProgressCallback = ignore_progress, should_stop: StopCheck = never_stop
) -> dict[str, Any]:
    """Fit the coefficients of the solver's confidence, on anatomies and seeds that no benchmark uses."""
    sources = anatomy_sources(request.models, calibration=True)
    specs = plan_cases(sources, request.cases, request.seed, calibration=True)
    outcomes = solve_everywhere(specs, (), request.processes, request.scheduler, progress, should_stop)
    return {"command": request.command, "seed": request.seed, **fit_calibration(calibration_data(outcomes))}


def calibration_data(outcomes: Sequence[CaseOutcome]) -> CalibrationData:
    """What the calibration is fitted to. A mask of another vessel has no true pose: it counts as far off."""
    solved = [(one, one.solver) for one in outcomes if one.solver is not None]
    names = sorted({one.spec.source for one, _ in solved})
    errors = [_FAR_OFF_MM if one.spec.mask == WRONG else solver.errors.mrpd_mm for one, solver in solved]
    depths = tuple(DepthCase(place, solver.estimate, solver.beam, solver.depth_error_mm)
                   for place, (one, solver) in enumerate(solved) if one.spec.view_count == 1)
    return CalibrationData(np.array([solver.features for _, solver in solved]), np.array(errors),
                           np.array([names.index(one.spec.source) for one, _ in solved]), depths)


def _checked(models: Sequence[Path]) -> list[str]:
    """The sources, after each mesh has been read once, so that a bad one is told before the work begins."""
    sources = anatomy_sources(models)
    for source in sources[len(sources) - len(models):]:
        load_anatomy(source)
    return sources
