"""The report of the comparison of vessel networks."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ...benchmark.network_speed import SpeedRow, SpeedTarget, speed_as_markdown
from ...evaluation.network_report import networks_as_dict
from ...evaluation.outcomes import Measure, NetworkOutcome, grouped
from ...simulation.domains import CORONARY
from ..architectures import DRU_NET, OURS
from .tables import table

Cells = Mapping[tuple[str, str], Sequence[NetworkOutcome]]
"""Outcomes of all networks by domain and field of view."""

Speed = tuple[list[SpeedRow], list[SpeedTarget]]

TIMING_THREADS = 2
ALL = f"all but {CORONARY}"
BOTH = "both"
MEASURES = (
    Measure("dice", "Dice", np.mean, ".3f"),
    Measure("precision", "precision", np.mean, ".3f"),
    Measure("recall", "recall", np.mean, ".3f"),
    Measure("on_devices", "device pixels taken for vessel", np.mean, ".1%", "lower"),
)
_ASKED = 0.03


def comparison_as_dict(cells: Cells, speed: Speed, command: str,
                       weights: Mapping[str, Mapping[str, str]]) -> dict[str, Any]:
    """Means per domain, field of view and network, the difference, the milliseconds, and every case."""
    outcomes = [outcome for group in cells.values() for outcome in group]
    content = networks_as_dict(outcomes, MEASURES, command, weights)
    del content["summary"]  # the table tells the same by field of view as well
    counted = [outcome for (domain, _), group in cells.items() if domain != CORONARY for outcome in group]
    return {**content, "table": _rows(cells), "difference": _difference(counted),
            "milliseconds": [{"network": row.network, "way": row.way, "parameters": row.parameters,
                              "ms": round(row.milliseconds, 2)} for row in speed[0]]}


def _rows(cells: Cells) -> list[dict[str, Any]]:
    """The coronary domain comes last and counts nowhere else."""
    plain = {key: group for key, group in cells.items() if key[0] != CORONARY}
    fields_of_view = list(dict.fromkeys(field_of_view for _, field_of_view in cells))
    merged = {(ALL, field_of_view): [one for key, group in plain.items() if key[1] == field_of_view for one in group]
              for field_of_view in fields_of_view}
    merged[ALL, BOTH] = [one for group in plain.values() for one in group]
    apart = {key: group for key, group in cells.items() if key[0] == CORONARY}
    return [{"domain": domain, "field_of_view": field_of_view, "network": network, "frames": len(group),
             **{measure.key: _plain(measure.of(group)) for measure in MEASURES}}
            for (domain, field_of_view), both in (plain | merged | apart).items()
            for network, group in grouped(both, lambda one: one.network).items()]


def _difference(outcomes: Sequence[NetworkOutcome]) -> dict[str, Any]:
    """Mean Dice of both and ours less DRU-Net's, frame by frame."""
    dice = {network: np.array([one.values["dice"] for one in group])
            for network, group in grouped(outcomes, lambda one: one.network).items()}
    gains = dice[OURS] - dice[DRU_NET]
    return {OURS: round(float(dice[OURS].mean()), 5), DRU_NET: round(float(dice[DRU_NET].mean()), 5),
            "dice": round(float(gains.mean()), 5), "ours_better": int((gains > 0).sum()), "frames": len(gains)}


def comparison_as_markdown(content: Mapping[str, Any], speed: Speed) -> str:
    """The report: how long each was trained, the table, the difference, the milliseconds."""
    budget, difference = content["budget"], content["difference"]
    trainings = [(network, f"{one['steps']}", f"{1000 * one['seconds_per_step']:.0f}", f"{one['seconds'] / 60:.1f}")
                 for network, one in content["trainings"].items()]
    rows = [(row["domain"], row["field_of_view"], row["network"], f"{row['frames']}",
             *("-" if row[measure.key] is None else format(row[measure.key], measure.form) for measure in MEASURES))
            for row in content["table"]]
    return "\n\n".join([
        "# DRU-Net and our network for vessels, with the same minutes of training",
        f"`{content['command']}`",
        f"Budget: {budget['minutes']:g} minutes of training for each network, from nothing, on the same simulated "
        "vessel and catheter frames, by the same recipe. Steps of both were timed before, in turn, which gave their "
        "numbers. The minutes in the table also hold the building of the first patients, the same for both and no part "
        "of the budget. Our network learns devices as well. All images are simulated.",
        table(("network", "steps", "ms per step, measured before", "minutes trained"), trainings),
        "## Held-out domains",
        "Means over frames; all measures of a frame come from the same binary mask, probability above 0.5. Device "
        "pixels taken for vessel are those beside the true vessels, as a share of all device pixels.",
        table(("domain", "field of view", "network", "frames", *(measure.title for measure in MEASURES)), rows),
        "## Difference and time",
        f"Dice, {ALL}: {OURS} {difference[OURS]:.3f}, {DRU_NET} {difference[DRU_NET]:.3f}, difference "
        f"{difference['dice']:+.3f} (asked: {_ASKED:+.2f}); {OURS} is better in {difference['ours_better']} of "
        f"{difference['frames']} frames.",
        f"Milliseconds per 256x256 image on {TIMING_THREADS} CPU threads, both in turn:",
        speed_as_markdown(*speed)]) + "\n"


def _plain(value: float) -> float | None:
    return None if np.isnan(value) else round(value, 5)
