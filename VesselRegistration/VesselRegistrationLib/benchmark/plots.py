"""One picture of a benchmark run."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .cases import MASK_BANDS, START_STRATA_MM, VIEW_COUNTS
from .outcome import CaseOutcome
from .summary import select


def save_plots(outcomes: Sequence[CaseOutcome], content: Mapping[str, Any], path: Path) -> None:
    """Errors by stratum, success by start, errors by method, and calibration of the probability, as a PNG file."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12, 9), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(2, 2)
    _errors(axes[0, 0], outcomes)
    _capture(axes[0, 1], content["capture"])
    _methods(axes[1, 0], content["accuracy_start_to_20_mm"])
    _reliability(axes[1, 1], content["confidence"]["reliability"])
    figure.suptitle(f"Pose benchmark, seed {content['seed']}, {content['cases']} cases")
    figure.savefig(path, dpi=110)


def _errors(axes: Any, outcomes: Sequence[CaseOutcome]) -> None:
    for views, style in zip(VIEW_COUNTS, ("--", "-"), strict=True):
        for colour, mask in enumerate(MASK_BANDS):
            errors = sorted(one.solver.errors.mrpd_mm for one in select(outcomes, views, mask) if one.solver)
            if errors:
                axes.step(errors, (np.arange(len(errors)) + 1) / len(errors), style, color=f"C{colour}", where="post",
                          label=f"{views} view{'s' * (views > 1)}, mask Dice {mask}")
    axes.axvline(2.0, color="0.6", linewidth=0.8)
    axes.set(xscale="log", xlabel="mRPD, mm", ylabel="share of cases below", title="In-plane error, all starts")
    axes.legend(fontsize=8)


def _capture(axes: Any, rows: Sequence[Mapping[str, Any]]) -> None:
    ends = [end for _, end in START_STRATA_MM]
    for row in rows:
        shares = [np.nan if share is None else 100 * share for share in row["success"]]
        axes.plot(ends, shares, "o" + ("--" if row["views"] == 1 else "-"),
                  color=f"C{list(MASK_BANDS).index(row['mask'])}",
                  label=f"{row['views']} view{'s' * (row['views'] > 1)}, mask Dice {row['mask']}")
    axes.axhline(95, color="0.6", linewidth=0.8)
    axes.set(xlabel="initial mTRE up to, mm", ylabel="success, %", ylim=(0, 103),
             title="Success (1 view: mRPD < 2, 2 views: mTRE < 2 mm)")
    axes.legend(fontsize=8)


def _methods(axes: Any, rows: Sequence[Mapping[str, Any]]) -> None:
    methods = list(dict.fromkeys(row["method"] for row in rows))
    strata = list(dict.fromkeys((row["views"], row["mask"]) for row in rows))
    width = 0.8 / max(1, len(methods))
    for number, method in enumerate(methods):
        found = {(row["views"], row["mask"]): row["mrpd_mm"]["p50"] for row in rows if row["method"] == method}
        places = np.arange(len(strata)) + (number - (len(methods) - 1) / 2) * width
        axes.bar(places, [found.get(stratum, np.nan) for stratum in strata], width, label=method)
    axes.axhline(2.0, color="0.6", linewidth=0.8)
    axes.set(yscale="log", ylabel="median mRPD, mm", title="Methods, starts up to 20 mm")
    axes.set_xticks(np.arange(len(strata)), [f"{views}v\n{mask}" for views, mask in strata], fontsize=7)
    axes.legend(fontsize=8)


def _reliability(axes: Any, rows: Sequence[Mapping[str, Any]]) -> None:
    axes.plot([0, 100], [0, 100], color="0.7", linewidth=0.8)
    axes.plot([100 * row["expected"] for row in rows], [100 * row["within_2mm"] for row in rows], "o-")
    for row in rows:
        axes.annotate(str(row["cases"]), (100 * row["expected"], 100 * row["within_2mm"]), fontsize=7,
                      textcoords="offset points", xytext=(4, -9))
    axes.set(xlabel="probability given by the solver, %", ylabel="within 2 mm mRPD, %",
             title="Is the probability true? (number of cases beside)")
