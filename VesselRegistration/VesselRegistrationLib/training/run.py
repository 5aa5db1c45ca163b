"""From a plan to a finished training with a report."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ..networks.normalisation import FULL_SIZE, NETWORK_SIZE
from ..progress import ProgressCallback, StopCheck, ignore_progress, never_stop
from .architectures import DRU_NET
from .catheter import catheter_settings_of, catheter_task
from .distributed import leads
from .fine_tuned import FineTunedTask
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
    folder = load_folder(Path(plan.data), plan.folder_options, plan.seed, _sample_size(plan)) if plan.data else None
    task, settings = _task(plan, folder)
    if folder is not None:
        place = replace(place, workers=0)
    checkpoint = train(task, settings, out, seed=plan.seed, place=place, resume=resume, progress=progress,
                       should_stop=should_stop)
    if leads():
        write_report(out)
    return TrainingOutcome(checkpoint, out / REPORT_FILE, events_possible())


def _sample_size(plan: TrainingPlan) -> int:
    """The side of a user's frames in pixels: all but DRU-Net learn them at full resolution as well, through windows."""
    settings = plan.applied(_recipe(plan))
    return FULL_SIZE if settings.change_appearance and plan.network != DRU_NET else NETWORK_SIZE


def _recipe(plan: TrainingPlan) -> TrainingSettings:
    return catheter_settings_of(plan) if plan.task == CATHETER else vessel_settings_of(plan)


def _task(plan: TrainingPlan, folder: FolderSplit | None) -> tuple[Task, TrainingSettings]:
    if plan.task not in (VESSELS, CATHETER):
        task, settings = matching_task(plan)
        return _prepared(task, plan, {}), settings
    recipe = _recipe(plan)
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
    return FineTunedTask(task, plan.init, plan.freeze) if plan.init or plan.freeze else task
