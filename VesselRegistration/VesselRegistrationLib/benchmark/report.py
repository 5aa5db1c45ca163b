"""The report of a benchmark run: what goes into the JSON file, and the same as Markdown."""

import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from .. import __version__
from .cases import (
    FIELD_OF_VIEW_MM,
    IMAGE_SIZE,
    LEAST_VIEW_ANGLE_DEG,
    LEAST_VISIBLE_SHARE,
    PRIMARY_LIMIT_DEG,
    SECONDARY_LIMIT_DEG,
    SID_MM,
    SOD_MM,
    START_STRATA_MM,
    TURN_LIMIT_DEG,
)
from .outcome import CaseOutcome
from .summary import (
    Row,
    accuracy_rows,
    capture_rows,
    failure_rows,
    judgement,
    overlap_rows,
    time_rows,
)
from .targets import targets

_SHOWN_FAILURES = 60


@dataclass(frozen=True)
class RunFacts:
    """How a run was made: its command, seed, wall seconds, number of processes, memory of the solver alone, and
    sentences on what was not run."""

    command: str
    seed: int
    wall_s: float
    workers: int
    memory_mib: float | None
    left_out: tuple[str, ...] = ()
    peer: Mapping[str, Any] | None = None


def report_as_dict(outcomes: Sequence[CaseOutcome], facts: RunFacts) -> dict[str, Any]:
    """Everything the run gave, ready for JSON."""
    judged, capture, overlaps = judgement(outcomes), capture_rows(outcomes), overlap_rows(outcomes)
    times = time_rows(outcomes)
    lines = targets(outcomes, judged, capture, overlaps, times, facts.memory_mib, facts.peer)
    return {
        "schema_version": 1, "software": f"vessel-registration {__version__}", "python": platform.python_version(),
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} CPUs", **asdict(facts),
        "cases": len(outcomes), "anatomies": len({one.spec.source for one in outcomes}),
        "targets": [asdict(line) for line in lines], "accuracy_start_to_20_mm": accuracy_rows(outcomes, near=True),
        "accuracy": accuracy_rows(outcomes, near=False), "capture": capture, "overlap": overlaps,
        "time": times, "confidence": judged, "failures": failure_rows(outcomes),
        "results": [_case(one) for one in outcomes],
    }


def report_as_markdown(content: Mapping[str, Any]) -> str:
    """The report for reading, from what ``report_as_dict`` gave."""
    parts = [
        "# Pose benchmark", f"`{content['command']}`, seed {content['seed']}: {content['cases']} cases on "
        f"{content['anatomies']} anatomies, {content['wall_s']:.0f} s wall clock, {content['workers']} processes. "
        f"{content['machine']}, Python {content['python']}, {content['software']}.",
        *[f"Not run: {sentence}" for sentence in content["left_out"]],
        "## Targets", _targets_table(content["targets"]),
        "## Errors, starts up to 20 mm", _accuracy_table(content["accuracy_start_to_20_mm"]),
        "## Errors, all starts (up to 60 mm)", _accuracy_table(content["accuracy"]),
        "## Success by initial error", _capture_table(content["capture"]),
        "## Overlap with the true silhouette (medians, starts up to 20 mm)", _overlap_table(content["overlap"]),
        "## Cost of one solution", _time_table(content["time"], content["memory_mib"]),
        "## Does it know when it is wrong?", _confidence_text(content["confidence"]),
        *(["## Against a differentiable renderer", _peer_text(content["peer"])] if content["peer"] else []),
        f"## Failures ({len(content['failures'])})", _failure_table(content["failures"]),
        "## Definitions", _definitions(),
    ]
    return "\n\n".join(parts) + "\n"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table; a dash where there are no rows."""
    if not rows:
        return "-"
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _case(one: CaseOutcome) -> Row:
    row: Row = {"case": one.spec.index, "anatomy": one.anatomy, "views": one.spec.view_count, "mask": one.spec.mask,
                "mask_dice": one.mask_dice, "start": asdict(one.start), "refusal": one.refusal,
                "baselines": {name: asdict(other) for name, other in one.baselines.items()}}
    if one.solver is not None:
        solver = one.solver
        row |= {"errors": asdict(solver.errors), "search_cpu_s": solver.search_cpu_s, "cpu_s": solver.cpu_s,
                "overlap": asdict(solver.overlap), "quality": asdict(solver.estimate.quality),
                "score": solver.estimate.quality.score, "true_score": solver.true_score,
                "probability": solver.probability, "interval_mm": list(solver.interval_mm), "status": solver.status,
                "reason": solver.reason}
    return row


def _targets_table(lines: Sequence[Row]) -> str:
    def value(line: Row) -> str:
        if line["value"] is None:
            return "not measured"
        if line["unit"] == "%":
            return f"{100 * line['value']:.1f} %"
        return f"{line['value']:.3f}" if line["unit"] == "0.000" else f"{line['value']:.2f} {line['unit']}"

    verdict = {True: "yes", False: "**no**", None: "-"}
    return table(("what", "at least", "measured", "cases", "reached"),
                 [(line["what"], line["bound"], value(line), str(line["cases"]), verdict[line["reached"]])
                  for line in lines])


def _accuracy_table(rows: Sequence[Row]) -> str:
    return table(("views", "mask Dice", "method", "cases", "mRPD p50 / p90 / p95 mm", "mTRE p50 / p90 / p95 mm",
                  "mRPD < 2", "mTRE < 2", "CPU s"),
                 [(str(row["views"]), row["mask"], row["method"], str(row["cases"]), _three(row["mrpd_mm"]),
                   _three(row["mtre_mm"]), _percent(row["success_mrpd"]), _percent(row["success_mtre"]),
                   f"{row['mean_cpu_s']:.2f}") for row in rows])


def _capture_table(rows: Sequence[Row]) -> str:
    heads = [f"{low:g}-{high:g} mm" for low, high in START_STRATA_MM]
    return table(("views", "mask Dice", *heads, "capture range"),
                 [(str(row["views"]), row["mask"], *[_percent(share) for share in row["success"]],
                   f"{row['capture_range_mm']:g} mm") for row in rows])


def _overlap_table(rows: Sequence[Row]) -> str:
    return table(("views", "mask Dice", "cases", "Dice", "precision", "recall"),
                 [(str(row["views"]), row["mask"], str(row["cases"]),
                   *[f"{row[name]:.3f}" for name in ("dice", "precision", "recall")]) for row in rows])


def _time_table(rows: Sequence[Row], memory_mib: float | None) -> str:
    text = table(("views", "cases", "global stage CPU s p50 / p90 / p95", "all CPU s p50 / p90 / p95", "all, mean"),
                 [(str(row["views"]), str(row["cases"]), _three(row["search_cpu_s"]), _three(row["cpu_s"]),
                   f"{row['mean_cpu_s']:.2f}") for row in rows])
    memory = "not measured here" if memory_mib is None else f"{memory_mib:.0f} MiB"
    return f"{text}\n\nPeak memory of a process that only solves, with Python and all libraries: {memory}."


def _confidence_text(judged: Row) -> str:
    statuses = table(("status", "cases", "within 2 mm mRPD"),
                     [(name, str(row["cases"]), _percent(row["within_2mm"]))
                      for name, row in judged["statuses"].items()])
    reliability = table(("probability", "cases", "mean probability", "within 2 mm mRPD"),
                        [(f"{row['from']:g} to {row['to']:g}", str(row["cases"]), _percent(row["expected"]),
                          _percent(row["within_2mm"])) for row in judged["reliability"]])
    return (f"{judged['cases']} results, {judged['failures']} of them wrong (with the masks of Dice 0.50 to 0.60 and "
            f"those of other vessels, which count as wrong). AUROC {_plain(judged['auroc'])}; without these worse "
            f"masks {_plain(judged['auroc_without_worse_masks'])}. The 90 % interval of the mRPD covers "
            f"{_percent(judged['interval_coverage'])}. Accepted but wrong: "
            f"{judged['accepted_but_wrong']}.\n\n{statuses} \n\n{reliability}")


def _peer_text(peer: Row) -> str:
    rows = [(str(row["views"]), row["method"], str(row["cases"]),
             *[f"{row[name]:.2f}" for name in ("mrpd_mm", "mtre_mm", "cpu_s", "wall_s")]) for row in peer["rows"]]
    return f"{peer['text']}\n\n" + table(("views", "method", "cases", "mRPD mm", "mTRE mm", "CPU s", "wall s"), rows)


def _failure_table(rows: Sequence[Row]) -> str:
    shown = [(str(row["case"]), row["anatomy"], str(row["views"]), f"{row['mask']} ({row['mask_dice']:.2f})",
              f"{row['start_mtre_mm']:.0f}", _number(row.get("mrpd_mm")), _number(row.get("mtre_mm")), row["why"],
              f"{row['status']} ({100 * row['probability']:.0f} %)" if "status" in row else "refused")
             for row in rows[:_SHOWN_FAILURES]]
    more = f"\n\nand {len(rows) - _SHOWN_FAILURES} more, in the JSON file." if len(rows) > _SHOWN_FAILURES else ""
    return table(("case", "anatomy", "views", "mask", "start mm", "mRPD mm", "mTRE mm", "why", "judged"), shown) + more


def _definitions() -> str:
    angles = f"LAO/RAO {PRIMARY_LIMIT_DEG:g}, CRA/CAU {SECONDARY_LIMIT_DEG:g} degrees"
    return "\n".join([
        "- mTRE: mean distance in space of the model's points under found and true pose, over the whole model. In one "
        "view most of it is depth along the beam, which that view cannot show.",
        "- mRPD: mean distance, at the patient's scale, of true points from the rays of their found projections; over "
        "the points of the model inside the field of view, mean of the views. The in-plane error.",
        "- Success: below 2 mm. A refused case counts as a failure. Capture range: the initial mTRE up to which every "
        "stratum succeeds in 95 % (one view: mRPD, two views: mTRE).",
        f"- Views: {angles}, SID {SID_MM[0]:g} to {SID_MM[1]:g} mm, SOD {SOD_MM[0]:g} to {SOD_MM[1]:g} mm, field of "
        f"view {FIELD_OF_VIEW_MM[0]:g} to {FIELD_OF_VIEW_MM[1]:g} mm at the detector, {IMAGE_SIZE} x {IMAGE_SIZE} "
        f"pixels; two views are at least {LEAST_VIEW_ANGLE_DEG:g} degrees apart. Geometries that show less than "
        f"{100 * LEAST_VISIBLE_SHARE:g} % of the model's vertices in a view are drawn again.",
        f"- Start: the model's centre at the isocentre. Truth: turned by up to {TURN_LIMIT_DEG:g} degrees an axis and "
        "shifted so that the initial mTRE is that of the stratum.",
        "- Masks: the true silhouette, spoiled by missing branches and far parts, gaps, false blobs, wires, rough "
        "edges drawn too wide or narrow, until the Dice is that of the stratum; or found by our networks on simulated "
        "frames that show contrast in at least half of the vessel.",
        "- The renderer is the benchmark's own (formulas in LPS, Pillow's polygons at 8 x 8 samples a pixel) and "
        "shares nothing with the solver.",
        "- CPU seconds are of the solver alone, one thread, without reading files and without making the model ready "
        "(once for each model).",
        "- Failures: 'the mask misleads' where the wrong pose explains the mask at least as well as the true one by "
        "the solver's own score, else 'the search missed it'.",
    ])


def _three(values: Mapping[str, float]) -> str:
    return " / ".join(_number(values[name]) for name in ("p50", "p90", "p95"))


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def _plain(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.1f} %"
