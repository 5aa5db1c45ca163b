"""The trainings that the tables need, in an order in which each finds its first weights."""

import math
from dataclasses import dataclass, replace
from pathlib import Path

from ...progress import ProgressCallback, StopCheck
from ..architectures import CATHETER_NETWORKS, OURS, design_of
from ..catheter import CatheterTask
from ..checkpoint import CHECKPOINT_FILE
from ..fine_tuned import FineTunedTask
from ..settings import OURS as OUR_RECIPE
from ..settings import PAPER as PAPER_RECIPE
from ..settings import TrainingSettings, catheter_settings, fine_tuning
from ..trainer import Place, Task, train
from .budget import LAYERS, Budget
from .frames import PATCHES, PHANTOM, PROCEDURES, SYNTHETIC, VALIDATION, Frames, Mixture

_VALIDATION_FRAMES = 4
SPLITS = {"S1": tuple(PROCEDURES), "S2": ("T1", "T4", "T6"), "S3": ("T1", "T2", "T5")}
"""Procedures of which frames fine-tune: some of all of them (S1), or all of some (S2, S3)."""


@dataclass(frozen=True)
class Stage:
    """One training: ``parts`` are sources and how many of their frames; ``tests`` the procedures it is tested on.

    ``init`` names the stage whose weights it starts from, "" for none, and ``frozen`` what stays as it is.
    """

    name: str
    network: str
    parts: tuple[tuple[str, int], ...]
    epochs: int
    batch: int
    tests: tuple[str, ...] = ()
    init: str = ""
    frozen: str = ""


def stages(budget: Budget) -> list[Stage]:
    """All trainings of a budget."""
    everything = tuple(PROCEDURES)
    tuning = dict(zip(PROCEDURES, budget.tuning, strict=True))
    whole = {name: tuned + tested for (name, tuned), tested in zip(tuning.items(), budget.testing, strict=True)}
    found: list[Stage] = []

    def times(network: str) -> int:
        return budget.our_epochs if network == OURS else 1

    def base(name: str, network: str, source: str) -> None:
        found.append(Stage(name, network, ((source, budget.frames),), times(network) * budget.epochs, budget.batch,
                           everything))

    def tuned(name: str, init: str, network: str, frames: dict[str, int], tests: tuple[str, ...],
              layers: str = LAYERS[-1]) -> None:
        found.append(Stage(name, network, tuple(frames.items()), times(network) * budget.tuning_epochs,
                           budget.tuning_batch, tests, init, f"all-but-{layers}"))

    for network in budget.networks:
        base(network, network, SYNTHETIC)
        tuned(f"{network} S1", network, network, tuning, everything)
    first = budget.networks[0]
    base(PATCHES, first, PATCHES)
    tuned(f"{PATCHES} S1", PATCHES, first, tuning, everything)
    for layers in LAYERS:
        tuned(f"{layers} layers", first, first, {PHANTOM: budget.phantom}, (), layers)
    for split in ("S2", "S3"):
        tuned(f"{first} {split}", first, first, {name: whole[name] for name in SPLITS[split]},
              tuple(name for name in everything if name not in SPLITS[split]))
    for left_out in everything:
        others = {name: count for name, count in whole.items() if name != left_out}
        tuned(f"without {left_out}", first, first, others, (left_out,))
        found.append(Stage(f"only others than {left_out}", first, tuple(others.items()), budget.epochs, budget.batch,
                           (left_out,)))
    return found


def folder_of(out: Path, stage: str) -> Path:
    """Where a stage's training lies."""
    return out / "trainings" / stage.replace(" ", "_")


def settings_of(stage: Stage) -> TrainingSettings:
    """The paper's recipe for the paper's networks, ours for ours; the schedule of the stage."""
    recipe = OUR_RECIPE if stage.network == OURS else PAPER_RECIPE
    frames = sum(count for _, count in stage.parts)
    settings = catheter_settings(recipe)
    if stage.init:
        settings = fine_tuning(settings, frames, _VALIDATION_FRAMES, recipe)
    batch = min(stage.batch, frames)
    steps = stage.epochs * math.ceil(frames / batch)
    return replace(settings, batch_size=batch, epoch_size=frames, steps=steps, validation_cases=_VALIDATION_FRAMES,
                   validate_every=steps, warmup_steps=min(settings.warmup_steps, steps // 10))


def train_stage(stage: Stage, out: Path, frames: Frames, place: Place, progress: ProgressCallback,
                should_stop: StopCheck) -> Path:
    """Do or finish a stage's training and give its folder. Errors as in :func:`..trainer.train`."""
    folder = folder_of(out, stage.name)
    targets = design_of(stage.network, CATHETER_NETWORKS).targets
    samples = Mixture([(frames(source, targets), range(count)) for source, count in stage.parts])
    settings = settings_of(stage)
    task: Task = CatheterTask(settings, samples, frames(VALIDATION, targets), stage.network)
    if stage.init or stage.frozen:
        # The last weights of the stage before, as in the paper, not those with the best score.
        init = str(folder_of(out, stage.init) / CHECKPOINT_FILE) if stage.init else ""
        task = FineTunedTask(task, init, stage.frozen)
    train(task, settings, folder, seed=0, place=place, resume=(folder / CHECKPOINT_FILE).exists(), progress=progress,
          should_stop=should_stop)
    return folder
