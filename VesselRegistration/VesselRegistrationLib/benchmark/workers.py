"""Spreads cases over processes of this machine or over a Dask cluster; the results do not depend on which."""

from collections.abc import Sequence
from functools import partial
from itertools import groupby

from ..progress import ProgressCallback, StopCheck, ignore_progress, never_stop, raise_if_stopped
from ..spreading import spread
from .cases import CaseSpec
from .outcome import CaseOutcome
from .solving import solve_cases

_LARGEST_BATCH = 6


def solve_everywhere(
    specs: Sequence[CaseSpec],
    baselines: Sequence[str],
    workers: int,
    scheduler: str | None = None,
    progress: ProgressCallback = ignore_progress,
    should_stop: StopCheck = never_stop,
) -> list[CaseOutcome]:
    """Solve cases in ``workers`` processes of one thread each, or on the Dask cluster at ``scheduler``; in their order.

    Raises UserError where the cluster cannot be used, Cancelled on request.
    """
    found: list[CaseOutcome] = []
    for batch in spread(partial(solve_cases, baselines=list(baselines)), _batches(specs), workers, scheduler):
        found += batch
        progress(len(found) / len(specs), f"{len(found)} of {len(specs)} cases")
        raise_if_stopped(should_stop)
    return sorted(found, key=lambda outcome: outcome.spec.index)


def _batches(specs: Sequence[CaseSpec]) -> list[list[CaseSpec]]:
    """Few cases of one anatomy each, which then is made ready once."""
    ordered = sorted(specs, key=lambda spec: (spec.source, spec.index))
    batches = []
    for _, group in groupby(ordered, key=lambda spec: spec.source):
        same = list(group)
        batches += [same[first:first + _LARGEST_BATCH] for first in range(0, len(same), _LARGEST_BATCH)]
    return batches
