"""The training loop: resumable after a kill, logged, validated on held-out cases.

What a step sees depends on the seed and the step's number alone, so that no random state has to be kept: training that
was stopped and resumed ends where an uninterrupted one does.
"""

import csv
import os
import time
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from torch import nn
from torch.utils.data import Dataset

from ..errors import Cancelled, UserError
from ..networks.device import choose_device
from ..progress import ProgressCallback, StopCheck
from .samples import Sample, SamplePool
from .settings import TrainingSettings

CHECKPOINT_FILE = "checkpoint.pt"
LOG_FILE = "log.csv"
_LOG_COLUMNS = ("step", "seconds", "learning_rate", "loss", "validation")


class Task(Protocol):
    """What is trained: a network on samples with a loss, judged by scores of which ``main_score`` counts."""

    name: str
    main_score: str
    samples: Dataset[Sample]

    def build(self) -> nn.Module:
        """A new network."""

    def loss(self, network: nn.Module, batch: Sample, step: int, generator: torch.Generator) -> torch.Tensor:
        """Loss of a batch; ``generator`` makes the augmentation's numbers."""

    def validate(self, network: nn.Module) -> Mapping[str, float]:
        """Scores on held-out cases, the network being in evaluation mode."""


def train(task: Task, settings: TrainingSettings, out: Path, *, seed: int, threads: int, device: str, resume: bool,
          background: bool, progress: ProgressCallback, should_stop: StopCheck) -> Path:
    """Train, or go on with, ``task`` and give the path of the checkpoint in ``out``.

    ``out`` holds checkpoint.pt and log.csv. ``background`` makes samples in a process of their own. Raises UserError
    where ``out`` cannot be used or holds a training with other settings, Cancelled on request (a checkpoint is left).
    """
    run = _Run(task, settings, out, seed, choose_device(device))
    run.start(resume)
    threads_before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        run.go(background, progress, should_stop)
    finally:
        torch.set_num_threads(threads_before)
    return out / CHECKPOINT_FILE


def read_checkpoint(folder: Path) -> dict[str, Any]:
    """The checkpoint of a training folder. Raises UserError where there is none or it cannot be read."""
    path = folder / CHECKPOINT_FILE
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except OSError:
        raise UserError(f"There is no training to go on with in {folder}: name the folder of an earlier one.") from None
    except Exception:
        raise UserError(f"The checkpoint {path} is damaged: start the training again in another folder.") from None


class _Run:
    """One training in progress."""

    def __init__(self, task: Task, settings: TrainingSettings, out: Path, seed: int, device: torch.device) -> None:
        self._task, self._settings, self._out, self._seed, self._device = task, settings, out, seed, device
        torch.manual_seed(seed)
        self._network = task.build().to(device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._optimiser = _optimiser(self._network, settings)
        self._step = 0
        self._seconds = 0.0
        self._scores: dict[str, float] = {}

    def start(self, resume: bool) -> None:
        """Read the checkpoint, or make the folder."""
        if resume:
            self._restore(read_checkpoint(self._out))
            return
        try:
            self._out.mkdir(parents=True, exist_ok=True)
            if any(self._out.iterdir()):
                raise UserError(f"The folder {self._out} is not empty: choose another, or go on with --resume.")
            self._write_log([_LOG_COLUMNS], "w")
        except OSError as problem:
            raise UserError(f"The folder {self._out} cannot be used ({problem.strerror}): choose another.") from None

    def go(self, background: bool, progress: ProgressCallback, should_stop: StopCheck) -> None:
        """Do the remaining steps."""
        settings = self._settings
        pool = SamplePool(self._task.samples, settings, self._step, background)
        losses: list[float] = []
        clock = time.monotonic()
        while self._step < settings.steps:
            if should_stop():
                self._save()
                raise Cancelled(f"Stopped on request after {self._step} steps; go on with --resume.")
            losses.append(self._train_step(pool))
            self._step += 1
            last = self._step == settings.steps
            if last or self._step % settings.validate_every == 0:
                self._network.eval()
                with torch.inference_mode():
                    self._scores = dict(self._task.validate(self._network))
            if last or self._step % settings.checkpoint_every == 0:
                now = time.monotonic()
                self._seconds, clock = self._seconds + now - clock, now
                self._record(float(np.mean(losses)))
                losses.clear()
                self._save()
            progress(self._step / settings.steps, self._report(losses))

    def _train_step(self, pool: SamplePool) -> float:
        rng = np.random.default_rng([self._seed, self._step])
        generator = torch.Generator().manual_seed(int(rng.integers(2**62)))
        batch = pool.batch(self._step, rng)
        for group in self._optimiser.param_groups:
            group["lr"] = self._settings.rate_at(self._step)
        self._network.train()
        self._optimiser.zero_grad(set_to_none=True)
        loss = self._task.loss(self._network, batch, self._step, generator)
        loss.backward()
        if self._settings.gradient_clip > 0:
            nn.utils.clip_grad_norm_(self._network.parameters(), self._settings.gradient_clip)
        self._optimiser.step()
        return loss.item()

    def _report(self, losses: list[float]) -> str:
        score = self._scores.get(self._task.main_score)
        parts = [f"step {self._step}/{self._settings.steps}"]
        if losses:
            parts.append(f"loss {np.mean(losses):.3f}")
        if score is not None:
            parts.append(f"held-out {self._task.main_score} {score:.3f}")
        return ", ".join(parts)

    def _record(self, loss: float) -> None:
        score = self._scores.get(self._task.main_score)
        self._write_log([(self._step, f"{self._seconds:.1f}", f"{self._settings.rate_at(self._step - 1):.3g}",
                          f"{loss:.5f}", "" if score is None else f"{score:.4f}")], "a")

    def _write_log(self, rows: list[tuple[Any, ...]], mode: str) -> None:
        with (self._out / LOG_FILE).open(mode, newline="", encoding="utf-8") as file:
            csv.writer(file).writerows(rows)

    def _save(self) -> None:
        content = {"task": self._task.name, "settings": asdict(self._settings), "seed": self._seed, "step": self._step,
                   "seconds": self._seconds, "scores": self._scores, "network": self._network.state_dict(),
                   "optimiser": self._optimiser.state_dict()}
        temporary = self._out / f".{CHECKPOINT_FILE}.partial"
        torch.save(content, temporary)
        os.replace(temporary, self._out / CHECKPOINT_FILE)

    def _restore(self, content: dict[str, Any]) -> None:
        made_with = replace(TrainingSettings(**content["settings"]), steps=self._settings.steps)
        if (content["task"], content["seed"], made_with) != (self._task.name, self._seed, self._settings):
            raise UserError(f"The training in {self._out} was started with other settings or another seed: "
                            "give the same ones, or choose another folder.")
        self._network.load_state_dict(content["network"])
        self._optimiser.load_state_dict(content["optimiser"])
        self._step, self._seconds, self._scores = content["step"], content["seconds"], content["scores"]
        with (self._out / LOG_FILE).open(newline="", encoding="utf-8") as file:
            rows = [tuple(row) for row in csv.reader(file)]
        self._write_log([row for row in rows if not row[0].isdigit() or int(row[0]) <= self._step], "w")


def _optimiser(network: nn.Module, settings: TrainingSettings) -> torch.optim.Optimizer:
    if settings.optimiser == "sgd":
        return torch.optim.SGD(network.parameters(), lr=settings.learning_rate, momentum=0.9,
                               weight_decay=settings.weight_decay)
    return torch.optim.AdamW(network.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay)
