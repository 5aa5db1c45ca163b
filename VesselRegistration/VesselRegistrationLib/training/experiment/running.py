"""The whole experiment, resumable at any moment."""

import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ...errors import UserError
from ...progress import ProgressCallback, StopCheck, ignore_progress, never_stop, part_of
from ..trainer import Place
from .budget import Budget
from .frames import Frames, simulated
from .scoring import score_stage, time_networks
from .stages import folder_of, stages, train_stage
from .tables import experiment_as_markdown

REPORT_FILE = "report.md"
RESULT_FILE = "report.json"
_BUDGET_FILE = "budget.json"
_SCORES_FILE = "scores.json"


def run_experiment(out: Path, budget: Budget, *, place: Place | None = None, frames: Frames = simulated,
                   progress: ProgressCallback = ignore_progress, should_stop: StopCheck = never_stop) -> str:
    """Do what is still to be done of the experiment in ``out`` and give the report, which is also written there.

    Raises UserError where ``out`` cannot be used or holds an experiment of another budget, Cancelled on request; run
    it again to go on.
    """
    place = place or Place()
    _claim(out, budget)
    todo = stages(budget)
    done: dict[str, Any] = {}
    for number, stage in enumerate(todo):
        report = part_of(progress, number / len(todo), (number + 1) / len(todo))
        scores = folder_of(out, stage.name) / _SCORES_FILE
        if not scores.exists():
            folder = train_stage(stage, out, frames, place,
                                 lambda share, text, report=report, name=stage.name:  # type: ignore[misc]
                                 report(share, f"{name}: {text}"), should_stop)
            _write(scores, score_stage(stage, folder, budget, frames, place.device))
        done[stage.name] = json.loads(scores.read_text(encoding="utf-8"))
    content = {"command": f"vessel-registration benchmark catheter --budget {budget.name} --out DIR",
               "budget": asdict(budget), "times": time_networks(budget), "stages": done}
    text = experiment_as_markdown(content, budget)
    _write(out / RESULT_FILE, content)
    _write(out / REPORT_FILE, text)
    return text


def _claim(out: Path, budget: Budget) -> None:
    path = out / _BUDGET_FILE
    wanted = json.loads(json.dumps(asdict(budget)))
    try:
        if path.exists():
            if json.loads(path.read_text(encoding="utf-8")) != wanted:
                raise UserError(f"The folder {out} holds an experiment of another budget: choose another folder.")
            return
        out.mkdir(parents=True, exist_ok=True)
        if any(out.iterdir()):
            raise UserError(f"The folder {out} is not empty: choose another.")
    except (OSError, ValueError):
        raise UserError(f"The folder {out} cannot be used: choose another.") from None
    _write(path, wanted)


def _write(path: Path, content: Any) -> None:
    temporary = path.with_name(f".{path.name}.partial")
    text = content if isinstance(content, str) else json.dumps(content, indent=2) + "\n"
    try:
        temporary.write_text(text, encoding="utf-8")
        os.replace(temporary, path)
    except OSError as problem:
        raise UserError(f"{path} cannot be written ({problem.strerror}): make room there and run the command "
                        "again.") from None
