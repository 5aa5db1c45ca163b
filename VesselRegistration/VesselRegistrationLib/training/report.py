"""The report of a training: Markdown with curves."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..errors import UserError
from .checkpoint import read_checkpoint
from .log import read_log

REPORT_FILE = "report.md"
CURVES_FILE = "curves.png"


def write_report(folder: Path) -> Path:
    """Write report.md and curves.png into a training folder from its checkpoint and log; gives the report's path.

    Raises UserError where the training cannot be read or the report not be written.
    """
    checkpoint = read_checkpoint(folder)
    rows = read_log(folder)
    try:
        _write_curves(folder, rows, checkpoint)
        temporary = folder / f".{REPORT_FILE}.partial"
        temporary.write_text(_text(checkpoint, rows), encoding="utf-8")
        os.replace(temporary, folder / REPORT_FILE)
    except OSError as problem:
        raise UserError(f"The report in {folder} cannot be written ({problem.strerror}): make room there; the trained "
                        "weights are kept.") from None
    return folder / REPORT_FILE


def _text(checkpoint: dict[str, Any], rows: Sequence[dict[str, str]]) -> str:
    origin, settings = checkpoint["origin"], checkpoint["settings"]
    planned = settings["steps"]
    ended = "" if checkpoint["step"] == planned else (
        f" of {planned}: {checkpoint['without_gain']} validations in a row brought nothing better")
    best = checkpoint["best_score"]
    lines = [
        f"# Training of {checkpoint['task']}", "",
        f"- Network: {checkpoint['architecture']} ({origin['network']}); seed {checkpoint['seed']}.",
        f"- Data: {origin.get('data', 'simulated frames only')}.",
        f"- First weights: {origin.get('init', 'random')}; frozen: {origin.get('frozen', 'nothing')}.",
        f"- Steps: {checkpoint['step']}{ended}; {checkpoint['seconds']:.0f} s.",
        f"- Best validation score: {'none' if best is None else f'{best:.4f}'} after {checkpoint['best_step']} steps; "
        "best.pt holds these weights, checkpoint.pt the last ones.",
        *(f"- Last loss: {row['loss']}." for row in rows[-1:]),
        "", "The validation decided which weights are the best, so its score is no test.",
        "", f"![curves]({CURVES_FILE})", "",
        "| validation of the last weights | |", "|---|---|",
        *(f"| {name} | {value:.4f} |" for name, value in checkpoint["scores"].items()),
        "", "| setting | |", "|---|---|", *(f"| {name} | {value} |" for name, value in settings.items()), ""]
    return "\n".join(lines)


def _write_curves(folder: Path, rows: Sequence[dict[str, str]], checkpoint: dict[str, Any]) -> None:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3.5), layout="constrained")
    FigureCanvasAgg(figure)
    left, right = figure.subplots(1, 2)
    steps = [int(row["step"]) for row in rows]
    left.plot(steps, [float(row["loss"]) for row in rows])
    left.set(xlabel="step", ylabel="loss, mean since the last row")
    scored = [(int(row["step"]), float(row["validation"])) for row in rows if row["validation"]]
    if scored:
        right.plot(*zip(*scored, strict=True))
        if checkpoint["best_score"] is not None:
            right.plot(checkpoint["best_step"], checkpoint["best_score"], "o", label="best")
            right.legend()
    right.set(xlabel="step", ylabel="validation score")
    temporary = folder / f".{CURVES_FILE}.partial"
    figure.savefig(temporary, dpi=110, format="png")
    os.replace(temporary, folder / CURVES_FILE)
