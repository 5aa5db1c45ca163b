"""A batch from its cases to its results, in this process, in others, or on a cluster."""

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from ..errors import Cancelled, UserError
from ..progress import ProgressCallback, StopCheck, ignore_progress, never_stop, part_of
from ..spreading import spread
from .case import BatchCase, BatchDefaults, CaseRow
from .folder import read_folder
from .results import check_batch_folder, finished_row, write_results
from .solving import solve_case
from .table import read_table


def read_cases(path: Path, defaults: BatchDefaults) -> list[BatchCase]:
    """Cases from a CSV file or from a folder of sub-folders. Raises UserError where there are none to be had."""
    if path.is_dir():
        return read_folder(path, defaults)
    return read_table(path, defaults)


def run_batch(
    cases: Sequence[BatchCase],
    out: Path,
    workers: int | None = None,
    scheduler: str | None = None,
    resume: bool = False,
    progress: ProgressCallback = ignore_progress,
    should_stop: StopCheck = never_stop,
) -> list[CaseRow]:
    """Register all cases, each into a folder of ``out`` named after it, and give their rows in order.

    They are done one after another in this process where ``workers`` is None, else in as many processes, or on the
    Dask cluster at ``scheduler``, whose workers have to see the files under the same paths. results.csv and
    results.json grow with every case. ``resume`` goes on with an interrupted batch. A case that fails has a row that
    says why. Raises UserError where the batch as a whole cannot be done and Cancelled on request; what is finished
    then stays.
    """
    check_batch_folder(out, resume)
    out = out.absolute()
    names = [case.name for case in cases]
    rows = _finished(cases, out)
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise UserError(f"{out} cannot be made ({problem.strerror}): choose another place.") from None
    write_results(out, names, list(rows.values()))
    left = [case for case in cases if case.name not in rows]
    progress(len(rows) / len(cases), f"{len(rows)} of {len(cases)} cases")
    if workers is None and scheduler is None:
        answers = _one_by_one(left, out, part_of(progress, len(rows) / len(cases), 1.0), should_stop)
    else:
        answers = spread(partial(solve_case, out=out), left, workers or 1, scheduler) if left else iter(())
    for row in answers:
        rows[row.case] = row
        write_results(out, names, list(rows.values()))
        progress(len(rows) / len(cases), f"{len(rows)} of {len(cases)} cases")
        if len(rows) < len(cases) and should_stop():
            raise Cancelled(f"Stopped on request; {len(rows)} of {len(cases)} cases are done, and the batch can go on.")
    return [rows[name] for name in names]


def _finished(cases: Sequence[BatchCase], out: Path) -> dict[str, CaseRow]:
    """The rows of the cases that need no work: finished before, or not to be begun."""
    rows = {}
    for case in cases:
        try:
            row = CaseRow.of_failure(case.name, case.problem) if case.problem else finished_row(case, out)
        except UserError as problem:
            row = CaseRow.of_failure(case.name, str(problem))
        if row is not None:
            rows[case.name] = row
    return rows


def _one_by_one(cases: Sequence[BatchCase], out: Path, progress: ProgressCallback,
                should_stop: StopCheck) -> Iterator[CaseRow]:
    for number, case in enumerate(cases):
        named = _named(part_of(progress, number / len(cases), (number + 1) / len(cases)), case.name)
        yield solve_case(case, out, named, should_stop)


def _named(progress: ProgressCallback, name: str) -> ProgressCallback:
    return lambda fraction, text: progress(fraction, f"{name}: {text}")
