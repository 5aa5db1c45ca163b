"""What the solver is meant to reach, beside what it reached."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .cases import NETWORK
from .outcome import CaseOutcome
from .summary import NEAR_START_MM, Row, select, succeeded


@dataclass(frozen=True)
class Target:
    """One line: what is measured, on how many cases, the bound, and the value (None where nothing was measured)."""

    what: str
    bound: str
    value: float | None
    unit: str
    reached: bool | None
    cases: int


def targets(outcomes: Sequence[CaseOutcome], judged: Mapping[str, Any], capture: Sequence[Row],
            overlaps: Sequence[Row], times: Sequence[Row], memory_mib: float | None,
            peer: Mapping[str, Any] | None = None) -> list[Target]:
    """All lines, those of errors first."""
    return [*_one_view(outcomes), *_two_views(outcomes), *_capture(outcomes, capture),
            *_overlap(overlaps), *_judgement(judged), *_cost(times, memory_mib), *_peer(peer)]


def _one_view(outcomes: Sequence[CaseOutcome]) -> list[Target]:
    lines = []
    for mask, median, share in (("1.00", 0.5, 0.99), ("0.75-0.80", 1.2, 0.85)):
        near = [one for one in select(outcomes, 1, mask) if one.start.mtre_mm <= NEAR_START_MM]
        errors = [one.solver.errors.mrpd_mm if one.solver else np.inf for one in near]
        name = f"1 view, mask Dice {mask}, start <= 20 mm"
        lines += [_at_most(f"{name}: mRPD median", median, _percentile(errors, 50), "mm", len(near)),
                  _at_least(f"{name}: mRPD < 2 mm", share, _success(near), len(near))]
    return lines


def _two_views(outcomes: Sequence[CaseOutcome]) -> list[Target]:
    lines = []
    for mask, median, tail, share in (("0.90", 0.5, 1.5, 0.98), ("0.75-0.80", 1.0, None, 0.95),
                                      (NETWORK, None, None, 0.90)):
        chosen = select(outcomes, 2, mask)
        errors = [one.solver.errors.mtre_mm if one.solver else np.inf for one in chosen]
        name = "2 views, masks of our network" if mask == NETWORK else f"2 views, mask Dice {mask}"
        if median is not None:
            lines.append(_at_most(f"{name}: mTRE median", median, _percentile(errors, 50), "mm", len(chosen)))
        if tail is not None:
            lines.append(_at_most(f"{name}: mTRE p95", tail, _percentile(errors, 95), "mm", len(chosen)))
        lines.append(_at_least(f"{name}: mTRE < 2 mm", share, _success(chosen), len(chosen)))
    return lines


def _capture(outcomes: Sequence[CaseOutcome], rows: Sequence[Row]) -> list[Target]:
    lines = []
    for views, least in ((1, 20.0), (2, 40.0)):
        row = next((row for row in rows if row["views"] == views and row["mask"] == "0.90"), None)
        count = len(select(outcomes, views, "0.90"))
        value = row["capture_range_mm"] if row and count else None
        lines.append(Target(f"capture range, {views} view{'s' * (views > 1)}, mask Dice 0.90", f">= {least:g}", value,
                            "mm", None if value is None else value >= least, count))
    return lines


def _overlap(rows: Sequence[Row]) -> list[Target]:
    chosen = [row for row in rows if row["mask"] == "0.90"]
    count = sum(row["cases"] for row in chosen)
    return [_at_least(f"overlap with the true silhouette, mask Dice 0.90: {name}", least,
                      min((row[name] for row in chosen), default=None), count)
            for name, least in (("dice", 0.90), ("precision", 0.90), ("recall", 0.95))]


def _judgement(judged: Mapping[str, Any]) -> list[Target]:
    coverage = judged["interval_coverage"]
    return [
        _at_least("failure detection: AUROC", 0.95, judged["auroc"], judged["cases"], "0.000"),
        Target("90 % interval covers", "85 to 95 %", coverage, "%",
               None if coverage is None else 0.85 <= coverage <= 0.95, judged["cases"]),
        _at_least("accepted results within 2 mm mRPD", 0.99, judged["accepted_within_2mm"],
                  judged["statuses"].get("accepted", {}).get("cases", 0)),
    ]


def _cost(times: Sequence[Row], memory_mib: float | None) -> list[Target]:
    lines = []
    for views, most in ((1, 0.7), (2, 1.3)):
        row = next((row for row in times if row["views"] == views), None)
        lines.append(_at_most(f"CPU seconds with search, {views} view{'s' * (views > 1)}, mean", most,
                              row["mean_cpu_s"] if row else None, "s", row["cases"] if row else 0))
    return [*lines, _at_most("peak memory of a process that only solves", 250.0, memory_mib, "MiB", 1)]


def _peer(peer: Mapping[str, Any] | None) -> list[Target]:
    lines = []
    for views in (1, 2):
        ratio = peer["cpu_ratio"][views - 1] if peer else None
        cases = sum(row["cases"] for row in peer["rows"] if row["views"] == views) // 2 if peer else 0
        lines.append(Target(f"CPU seconds of nanodrr over the solver's, {views} view{'s' * (views > 1)}", ">= 50",
                            ratio, "times", None if ratio is None else ratio >= 50, cases))
    return lines


def _percentile(errors: Sequence[float], share: int) -> float | None:
    return float(np.percentile(errors, share, method="higher")) if errors else None


def _success(chosen: Sequence[CaseOutcome]) -> float | None:
    return float(np.mean([succeeded(one) for one in chosen])) if chosen else None


def _at_most(what: str, bound: float, value: float | None, unit: str, cases: int) -> Target:
    return Target(what, f"<= {bound:g}", value, unit, None if value is None else value <= bound, cases)


def _at_least(what: str, bound: float, value: float | None, cases: int, unit: str = "%") -> Target:
    text = f">= {100 * bound:g} %" if unit == "%" else f">= {bound:g}"
    return Target(what, text, value, unit, None if value is None else value >= bound, cases)
