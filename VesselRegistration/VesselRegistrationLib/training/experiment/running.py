"""The whole experiment, resumable at any moment."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ...progress import ProgressCallback, StopCheck, ignore_progress, never_stop, part_of
from ..trainer import Place
from .budget import Budget
from .folder import REPORT_FILE, RESULT_FILE, claim, write
from .frames import Frames, simulated
from .scoring import score_stage, time_networks
from .stages import folder_of, stages, train_stage
from .tables import experiment_as_markdown

_SCORES_FILE = "scores.json"


def run_experiment(out: Path, budget: Budget, *, place: Place | None = None, frames: Frames = simulated,
                   progress: ProgressCallback = ignore_progress, should_stop: StopCheck = never_stop) -> str:
    """Do what is still to be done of the experiment in ``out`` and give the report, which is also written there.

    Raises UserError where ``out`` cannot be used or holds an experiment of another budget, Cancelled on request; run
    it again to go on.
    """
    place = place or Place()
    claim(out, asdict(budget))
    todo = stages(budget)
    done: dict[str, Any] = {}
    for number, stage in enumerate(todo):
        report = part_of(progress, number / len(todo), (number + 1) / len(todo))
        scores = folder_of(out, stage.name) / _SCORES_FILE
        if not scores.exists():
            folder = train_stage(stage, out, frames, place,
                                 lambda share, text, report=report, name=stage.name:  # type: ignore[misc]
                                 report(share, f"{name}: {text}"), should_stop)
            write(scores, score_stage(stage, folder, budget, frames, place.device))
        done[stage.name] = json.loads(scores.read_text(encoding="utf-8"))
    content = {"command": f"vessel-registration benchmark catheter --budget {budget.name} --out DIR",
               "budget": asdict(budget), "times": time_networks(budget), "stages": done}
    text = experiment_as_markdown(content, budget)
    write(out / RESULT_FILE, content)
    write(out / REPORT_FILE, text)
    return text
