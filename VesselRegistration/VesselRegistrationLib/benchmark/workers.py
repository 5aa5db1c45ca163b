"""Spreads cases over processes of this machine or over a Dask cluster; the results do not depend on which."""

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from itertools import groupby
from multiprocessing import get_context

from ..errors import UserError
from ..progress import ProgressCallback, StopCheck, ignore_progress, never_stop, raise_if_stopped
from .cases import CaseSpec
from .outcome import CaseOutcome
from .solving import solve_cases

_LARGEST_BATCH = 6
_THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


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
    batches = _batches(specs)
    found: list[CaseOutcome] = []
    running = _local(batches, baselines, workers) if scheduler is None else _dask(batches, baselines, scheduler)
    for batch in running:
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


def _local(
    batches: Sequence[Sequence[CaseSpec]], baselines: Sequence[str], workers: int
) -> Iterator[list[CaseOutcome]]:
    with _single_threaded(), ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        futures = [pool.submit(solve_cases, batch, baselines) for batch in batches]
        try:
            for future in as_completed(futures):
                yield future.result()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


@contextmanager
def _single_threaded() -> Iterator[None]:
    """Processes started inside use one thread each, so that CPU seconds mean something."""
    before = {name: os.environ.get(name) for name in _THREAD_VARIABLES}
    os.environ.update(dict.fromkeys(_THREAD_VARIABLES, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _dask(
    batches: Sequence[Sequence[CaseSpec]], baselines: Sequence[str], address: str
) -> Iterator[list[CaseOutcome]]:
    try:
        from distributed import Client
        from distributed import as_completed as as_done
    except ImportError:
        raise UserError("Dask is not installed: install slicer-hybridor[dask], or leave --scheduler out.") from None
    try:
        client = Client(address, timeout=15)
    except (OSError, ValueError, TimeoutError):
        raise UserError(f"There is no Dask scheduler at {address}: start one, or leave --scheduler out.") from None
    with client:
        futures = client.map(solve_cases, batches, baselines=list(baselines), pure=False)
        try:
            for _, result in as_done(futures, with_results=True):
                yield result
        finally:
            client.cancel(futures)
