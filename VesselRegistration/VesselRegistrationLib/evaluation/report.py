"""Tables of an evaluation: medians and tails, success, times, memory."""

import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from ..registration.result import ACCEPTED, CHECK, REJECTED, Overlap
from ..registration.result_file import software_versions
from .cases import CaseOutcome

SUCCESS_MM = 2.0
SCHEMA_VERSION = 1
_PERCENTILES = (50, 90, 95)

Row = tuple[str, Callable[[Sequence[CaseOutcome]], str]]


def report_as_markdown(outcomes: Sequence[CaseOutcome], command: str) -> str:
    """One table: a line per measure, a column per number of views."""
    groups = _by_views(outcomes)
    titles = [f"{views} view{'s' if views > 1 else ''}" for views in groups]
    lines = [f"`{command}`", "", f"| {len(next(iter(groups.values())))} cases | {' | '.join(titles)} |",
             f"|---|{'---|' * len(groups)}"]
    for title, measure in _ROWS:
        lines.append(f"| {title} | {' | '.join(measure(group) for group in groups.values())} |")
    memory = peak_memory_mb()
    lines += ["", "Errors in mm over all vertices of the model, also those outside the image; one view does not show "
              "depth, so its mTRE is mostly depth. " + (f"Peak memory {memory:.0f} MB." if memory else "")]
    return "\n".join(lines) + "\n"


def report_as_dict(outcomes: Sequence[CaseOutcome], command: str) -> dict[str, Any]:
    """All outcomes, case by case, with command, versions and peak memory."""
    return {"schema_version": SCHEMA_VERSION, "command": command, "software": software_versions(),
            "peak_memory_mb": peak_memory_mb(), "cases": [asdict(outcome) for outcome in outcomes]}


def peak_memory_mb() -> float | None:
    """Largest resident memory of this process so far; None where the system does not tell."""
    try:
        import resource
    except ImportError:
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1024 * 1024 if sys.platform == "darwin" else 1024)


def success_rate(outcomes: Iterable[CaseOutcome]) -> float:
    """Share with an in-plane error (mRPD) below 2 mm."""
    return float(np.mean([outcome.mrpd < SUCCESS_MM for outcome in outcomes]))


def _by_views(outcomes: Sequence[CaseOutcome]) -> dict[int, list[CaseOutcome]]:
    counts = sorted({outcome.view_count for outcome in outcomes})
    return {count: [outcome for outcome in outcomes if outcome.view_count == count] for count in counts}


def _overlap_row(title: str, which: Callable[[CaseOutcome], Overlap]) -> Row:
    def measure(group: Sequence[CaseOutcome]) -> str:
        values = [(overlap.dice, overlap.precision, overlap.recall) for overlap in map(which, group)]
        return " / ".join(f"{value:.2f}" for value in np.median(values, axis=0))

    return f"{title}: Dice / precision / recall, medians", measure


def _error_row(title: str, which: Callable[[CaseOutcome], float]) -> Row:
    def measure(group: Sequence[CaseOutcome]) -> str:
        values = np.percentile([which(outcome) for outcome in group], _PERCENTILES)
        return " / ".join(f"{value:.2f}" for value in values)

    return f"{title}, p50 / p90 / p95", measure


def _status_row(status: str) -> Row:
    def measure(group: Sequence[CaseOutcome]) -> str:
        chosen = [outcome for outcome in group if outcome.status == status]
        return f"{len(chosen)} ({success_rate(chosen):.0%})" if chosen else "0"

    return f"{status} (of these mRPD < {SUCCESS_MM:g} mm)", measure


def _seconds_row(stage: str) -> Row:
    return (f"seconds, {stage}, median",
            lambda group: f"{np.median([outcome.seconds[stage] for outcome in group]):.2f}")


_ROWS: tuple[Row, ...] = (
    _overlap_row("mask against true vessel mask", lambda outcome: outcome.segmentation),
    _overlap_row("registered model against mask", lambda outcome: outcome.mask_overlap),
    _overlap_row("registered model against true silhouette", lambda outcome: outcome.true_overlap),
    _error_row("mRPD at the start", lambda outcome: outcome.start_mrpd),
    _error_row("mRPD", lambda outcome: outcome.mrpd),
    _error_row("mTRE at the start", lambda outcome: outcome.start_mtre),
    _error_row("mTRE", lambda outcome: outcome.mtre),
    (f"success (mRPD < {SUCCESS_MM:g} mm)", lambda group: f"{success_rate(group):.0%}"),
    _status_row(ACCEPTED),
    _status_row(CHECK),
    _status_row(REJECTED),
    _seconds_row("segmentation"),
    _seconds_row("matching"),
    _seconds_row("measures"),
)
