"""What an evaluation of networks measures, and how cases are summed up."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np


@dataclass(frozen=True)
class NetworkOutcome:
    """Measures of one network on one case, by name; not a number where a measure has no meaning for it.

    ``lists`` holds measures of which a case has several, such as the errors of its tips. ``number`` counts the cases
    of an evaluation from 0.
    """

    network: str
    domain: str
    patient: str
    case: str
    number: int
    values: Mapping[str, float]
    lists: Mapping[str, tuple[float, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Measure:
    """A column of the report: its title, how it sums up cases, and how it is written.

    ``key`` is the name in the outcomes, ``better`` "higher" or "lower".
    """

    key: str
    title: str
    summary: Callable[[np.ndarray], float]
    form: str
    better: str = "higher"

    def of(self, outcomes: Sequence[NetworkOutcome]) -> float:
        """The summed-up value; not a number where no case has one."""
        values = values_of(outcomes, self.key)
        return float(self.summary(values)) if len(values) else float("nan")

    def text(self, outcomes: Sequence[NetworkOutcome]) -> str:
        """The value as it is written, a dash where there is none."""
        value = self.of(outcomes)
        return "-" if np.isnan(value) else format(value, self.form)


def values_of(outcomes: Sequence[NetworkOutcome], key: str) -> np.ndarray:
    """All values of a measure (N,), without those that are no numbers."""
    values = [value for outcome in outcomes
              for value in (outcome.lists[key] if key in outcome.lists else (outcome.values.get(key, np.nan),))]
    array = np.array(values, dtype=float)
    return array[~np.isnan(array)]


def share_below(limit: float) -> Callable[[np.ndarray], float]:
    """The share of values below a limit."""
    return lambda values: float(np.mean(values < limit))


def grouped(outcomes: Sequence[NetworkOutcome],
            key: Callable[[NetworkOutcome], Any]) -> dict[Any, list[NetworkOutcome]]:
    """Outcomes by a key, in the order in which the keys come."""
    groups: dict[Any, list[NetworkOutcome]] = {}
    for outcome in outcomes:
        groups.setdefault(key(outcome), []).append(outcome)
    return groups


_OVERLAP = (
    Measure("dice", "Dice", np.median, ".3f"),
    Measure("precision", "precision", np.median, ".3f"),
    Measure("recall", "recall", np.median, ".3f"),
)
_MASK = (*_OVERLAP, Measure("cl_dice", "clDice", np.median, ".3f"),
         Measure("hd95_px", "HD95 px", np.median, ".1f", "lower"))
VESSEL_MEASURES = (*_MASK, Measure("on_devices", "device pixels taken for vessel", np.mean, ".1%", "lower"))
CATHETER_MEASURES = (
    *_MASK,
    Measure("tip_px", "tip px", np.median, ".1f", "lower"),
    Measure("tip_px", "tip < 3 px", share_below(3.0), ".0%"),
    Measure("tip_px", "tip < 2 px", share_below(2.0), ".0%"),
    Measure("free_tip_px", "free tip < 3 px", share_below(3.0), ".0%"),
    Measure("false_tips", "false tips per frame", np.mean, ".2f", "lower"),
    Measure("centreline_px", "centreline px", np.median, ".2f", "lower"),
    Measure("count_error", "devices too many or few", lambda values: float(np.mean(np.abs(values))), ".2f", "lower"),
)
MATCHING_MEASURES = (
    Measure("corner_px", "corner px", np.median, ".2f", "lower"),
    Measure("corner_px", "corner < 3 px", share_below(3.0), ".0%"),
    *_OVERLAP,
    Measure("refused", "refused", np.mean, ".0%", "lower"),
    Measure("accepted_corner_px", "accepted but > 10 px off", lambda values: 1.0 - share_below(10.0)(values), ".0%",
            "lower"),
    Measure("network_corner_px", "network alone: corner px", np.median, ".2f", "lower"),
    Measure("network_corner_px", "network alone: < 3 px", share_below(3.0), ".0%"),
)
