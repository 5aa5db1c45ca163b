"""From a plan to a finished training with a report."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from torch import nn

from ..progress import ProgressCallback, StopCheck, ignore_progress, never_stop
from .catheter import catheter_settings_of, catheter_task
from .distributed import leads
from .first_weights import freeze, load_first_weights
from .frame_folder.dataset import FolderSplit, load_folder
from .log import events_possible
from .matching import matching_task
from .plan import CATHETER, VESSELS, TrainingPlan
from .report import REPORT_FILE, write_report
from .settings import TrainingSettings, fine_tuning
from .trainer import Place, Task, train
from .vessels import vessel_settings_of, vessel_task


@dataclass(frozen=True)
class TrainingOutcome:
    """The files of a training, and whether TensorBoard events are among them."""

    checkpoint: Path
    report: Path
    has_events: bool


def run_plan(plan: TrainingPlan, out: Path, *, place: Place | None = None, resume: bool = False,
             progress: ProgressCallback = ignore_progress, should_stop: StopCheck = never_stop) -> TrainingOutcome:
    """Train as planned into the folder ``out``, which must be empty or new, or go on there where ``resume`` says so.

    Raises UserError for anything that cannot be used, Cancelled on request (a checkpoint is left).
    """
    place = place or Place()
    folder = load_folder(Path(plan.data), plan.folder_options, plan.seed) if plan.data else None
    task, settings = _task(plan, folder)
    if folder is not None:
        place = replace(place, workers=0)
    checkpoint = train(task, settings, out, seed=plan.seed, place=place, resume=resume, progress=progress,
                       should_stop=should_stop)
    if leads():
        write_report(out)
    return TrainingOutcome(checkpoint, out / REPORT_FILE, events_possible())


def _task(plan: TrainingPlan, folder: FolderSplit | None) -> tuple[Task, TrainingSettings]:
    if plan.task not in (VESSELS, CATHETER):
        task, settings = matching_task(plan)
        return _prepared(task, plan, {}), settings
    recipe = catheter_settings_of(plan) if plan.task == CATHETER else vessel_settings_of(plan)
    if folder is None:
        settings = plan.applied(recipe)
    else:
        settings = plan.applied(fine_tuning(recipe, len(folder.training), len(folder.validation), plan.recipe))
    task = (catheter_task if plan.task == CATHETER else vessel_task)(plan, settings, folder)
    origin = {} if folder is None else {
        "data": f"{len(folder.training) + len(folder.validation)} annotated frames of the user: {folder.how}"}
    return _prepared(task, plan, origin), settings


def _prepared(task: Task, plan: TrainingPlan, origin: Mapping[str, Any]) -> Task:
    task.origin.update(origin)
    return _FineTuned(task, plan) if plan.init or plan.freeze else task


class _FineTuned:
    """A task whose network starts from trained weights and keeps some of its layers."""

    def __init__(self, task: Task, plan: TrainingPlan) -> None:
        self._task = task
        self._plan = plan
        self.name, self.design, self.samples = task.name, task.design, task.samples
        self.main_score, self.smaller_is_better = task.main_score, task.smaller_is_better
        self.loss, self.validate = task.loss, task.validate
        self.origin = dict(task.origin)

    def build(self) -> nn.Module:
        """The network with its first weights."""
        network = self._task.build()
        if self._plan.init:
            self.origin["init"] = load_first_weights(network, self._plan.init, self.design)
        if self._plan.freeze:
            freeze(network, self._plan.freeze)
            self.origin["frozen"] = self._plan.freeze
        return network
