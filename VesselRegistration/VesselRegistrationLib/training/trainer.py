"""The training loop: resumable after a kill, logged, validated on held-out cases, in one process or several.

What a step sees depends on the seed and the step's number alone, so that no random state has to be kept: training that
was stopped and resumed ends where an uninterrupted one does.
"""

import math
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from torch import nn
from torch.utils.data import Dataset

from ..errors import Cancelled, UserError
from ..networks.device import choose_device
from ..progress import ProgressCallback, StopCheck
from .architectures import NetworkDesign
from .augmentation import Generators
from .checkpoint import BEST_FILE, CHECKPOINT_FILE, PARTIAL, read_checkpoint, save_checkpoint
from .distributed import Group, joined_group, shared_network
from .first_weights import rest_frozen
from .log import TrainingLog
from .pool import SamplePool
from .samples import Sample
from .settings import TrainingSettings


class Task(Protocol):
    """What is trained: a network on samples with a loss, judged by scores of which ``main_score`` counts.

    ``origin`` says in plain values where samples and first weights come from; it is kept in the checkpoint.
    """

    name: str
    main_score: str
    smaller_is_better: bool
    design: NetworkDesign
    origin: dict[str, Any]
    samples: Dataset[Sample]

    def build(self) -> nn.Module:
        """A new network."""

    def loss(self, network: nn.Module, batch: Sample, step: int, generators: Generators) -> torch.Tensor:
        """Loss of the whole batch, of which ``batch`` is this process's share; one generator per sample."""

    def validate(self, network: nn.Module) -> Mapping[str, float]:
        """Scores on held-out cases, the network being in evaluation mode."""


@dataclass(frozen=True)
class Place:
    """Where training computes: ``device`` "auto", "cpu" or "cuda", CPU ``threads`` of each process, and ``workers``,
    the processes that make its samples ahead (0 makes them in the training process)."""

    device: str = "auto"
    threads: int = 2
    workers: int = 1


def train(task: Task, settings: TrainingSettings, out: Path, *, seed: int, place: Place, resume: bool,
          progress: ProgressCallback, should_stop: StopCheck) -> Path:
    """Train, or go on with, ``task`` and give the path of the checkpoint in ``out``.

    ``out`` holds checkpoint.pt, best.pt (the weights with the best validation score) and log.csv. Raises UserError
    where ``out`` cannot be used or holds a training with other settings, or where the loss is no number any more, and
    Cancelled on request (a checkpoint is left).
    """
    device = choose_device(place.device)
    threads_before = torch.get_num_threads()
    torch.set_num_threads(place.threads)
    try:
        with joined_group(device) as group:
            if device.type == "cuda":
                device = torch.device("cuda", group.local_rank)
            # Nothing may keep the run, whose network holds the group, when the group ends.
            _Run(task, settings, out, seed, device, group).go(resume, place.workers, progress, should_stop)
    finally:
        torch.set_num_threads(threads_before)
    return out / CHECKPOINT_FILE


@dataclass
class _State:
    """What a checkpoint keeps besides the weights."""

    step: int = 0
    seconds: float = 0.0
    scores: dict[str, float] = field(default_factory=dict)
    best_score: float | None = None
    best_step: int = 0
    without_gain: int = 0


class _Run:
    """A training in progress; the leading process alone touches files and validates."""

    def __init__(self, task: Task, settings: TrainingSettings, out: Path, seed: int, device: torch.device,
                 group: Group) -> None:
        self._task = task
        self._settings = settings
        self._out = out
        self._seed = seed
        self._group = group
        torch.manual_seed(seed)
        self._network = task.build().to(device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._shared = shared_network(self._network, group)
        self._optimiser = _optimiser(self._network, settings)
        self._state = _State()
        self._log: TrainingLog | None = None

    def _start(self, resume: bool) -> None:
        """Read the checkpoint, or make the folder."""
        if resume:
            self._restore(read_checkpoint(self._out))
        elif self._group.leads:
            self._make_folder()
            self._save()
        if self._group.leads:
            self._log = TrainingLog(self._out, self._state.step, resume=resume)
        self._group.share(None)

    def go(self, resume: bool, workers: int, progress: ProgressCallback, should_stop: StopCheck) -> None:
        """Begin, or go on, and do the remaining steps."""
        self._start(resume)
        settings, state = self._settings, self._state
        pool = SamplePool(self._task.samples, settings, state.step, self._seed, workers, self._group.rank,
                          self._group.processes)
        losses: list[float] = []
        clock = time.monotonic()
        while state.step < settings.steps and not self._gave_up():
            if self._group.share(should_stop()):
                self._save()
                raise Cancelled(f"Stopped on request after {state.step} steps; go on with --resume.")
            losses.append(self._train_step(pool))
            state.step += 1
            last = state.step == settings.steps
            if last or state.step % settings.validate_every == 0:
                self._validate()
                last = last or self._gave_up()
            if last or state.step % settings.checkpoint_every == 0:
                now = time.monotonic()
                state.seconds, clock = state.seconds + now - clock, now
                self._record(float(np.mean(losses)))
                losses.clear()
                self._save()
            progress(state.step / settings.steps, self._report(losses))
        if self._log is not None:
            self._log.close()

    def _gave_up(self) -> bool:
        return 0 < self._settings.patience <= self._state.without_gain

    def _train_step(self, pool: SamplePool) -> float:
        step = self._state.step
        batch = pool.batch(step)
        generators = [_generator(self._seed, step, place) for place in pool.places]
        for group in self._optimiser.param_groups:
            group["lr"] = self._settings.rate_at(step)
        self._shared.train()
        rest_frozen(self._network)
        self._optimiser.zero_grad(set_to_none=True)
        loss = self._task.loss(self._shared, batch, step, generators)
        value = loss.item()
        self._check_finite(value)
        # Every process holds the gradient of its share of the whole batch's loss; averaging them divides by their
        # number.
        (loss * self._group.processes).backward()
        norm = nn.utils.clip_grad_norm_(self._network.parameters(), self._settings.gradient_clip or math.inf)
        self._check_finite(norm.item())
        self._optimiser.step()
        return value

    def _check_finite(self, value: float) -> None:
        if not math.isfinite(value):
            raise UserError(f"The loss is no number any more at step {self._state.step}; the last good checkpoint in "
                            f"{self._out} is kept: train again with a smaller learning rate.")

    def _validate(self) -> None:
        state = self._state
        scores: object = None
        if self._group.leads:
            self._network.eval()
            with torch.inference_mode():
                scores = dict(self._task.validate(self._network))
        state.scores = dict(self._group.share(scores))  # type: ignore[call-overload]
        score = state.scores[self._task.main_score]
        if math.isfinite(score) and (state.best_score is None or self._better(score, state.best_score)):
            state.best_score, state.best_step, state.without_gain = score, state.step, 0
            if self._group.leads:
                save_checkpoint(self._out, BEST_FILE, {**self._content(), "network": self._network.state_dict()})
        else:
            state.without_gain += 1
        if self._log is not None:
            self._log.add_scores(state.step, state.scores)

    def _better(self, score: float, other: float) -> bool:
        return score < other if self._task.smaller_is_better else score > other

    def _report(self, losses: list[float]) -> str:
        score = self._state.scores.get(self._task.main_score)
        parts = [f"step {self._state.step}/{self._settings.steps}"]
        if losses:
            parts.append(f"loss {np.mean(losses):.3f}")
        if score is not None:
            parts.append(f"held-out {self._task.main_score} {score:.3f}")
        return ", ".join(parts)

    def _record(self, loss: float) -> None:
        if self._log is not None:
            self._log.add(self._state.step, self._state.seconds, self._settings.rate_at(self._state.step - 1), loss,
                          self._state.scores.get(self._task.main_score))

    def _content(self) -> dict[str, Any]:
        design = self._task.design
        return {"task": self._task.name, "architecture": design.architecture, "parameters": dict(design.parameters),
                "outputs": list(design.outputs), "origin": self._task.origin, "settings": asdict(self._settings),
                "seed": self._seed, **asdict(self._state)}

    def _save(self) -> None:
        if self._group.leads:
            save_checkpoint(self._out, CHECKPOINT_FILE, {
                **self._content(), "network": self._network.state_dict(), "optimiser": self._optimiser.state_dict()})

    def _make_folder(self) -> None:
        try:
            self._out.mkdir(parents=True, exist_ok=True)
            if any(not entry.name.endswith(PARTIAL) for entry in self._out.iterdir()):
                raise UserError(f"The folder {self._out} is not empty: choose another, or go on with --resume.")
        except OSError as problem:
            raise UserError(f"The folder {self._out} cannot be used ({problem.strerror}): choose another.") from None

    def _restore(self, content: dict[str, Any]) -> None:
        made_with = replace(TrainingSettings(**content["settings"]), steps=self._settings.steps)
        design = NetworkDesign(content["architecture"], content["parameters"], tuple(content["outputs"]))
        if design != self._task.design:
            raise UserError(f"The training in {self._out} is of the network {content['task']} "
                            f"({content['architecture']}), not of {self._task.name} "
                            f"({self._task.design.architecture}): name the same network, or choose another folder.")
        if (content["task"], content["origin"], content["seed"], made_with) != (
                self._task.name, self._task.origin, self._seed, self._settings):
            raise UserError(f"The training in {self._out} was started with other settings or another seed: "
                            "give the same ones, or choose another folder.")
        self._network.load_state_dict(content["network"])
        self._optimiser.load_state_dict(content["optimiser"])
        self._state = _State(**{name: content[name] for name in asdict(self._state)})


def _generator(seed: int, step: int, place: int) -> torch.Generator:
    rng = np.random.default_rng([seed, step, place])
    return torch.Generator().manual_seed(int(rng.integers(2**62)))


def _optimiser(network: nn.Module, settings: TrainingSettings) -> torch.optim.Optimizer:
    parameters = [entry for entry in network.parameters() if entry.requires_grad]
    if settings.optimiser == "sgd":
        return torch.optim.SGD(parameters, lr=settings.learning_rate, momentum=0.9,
                               weight_decay=settings.weight_decay)
    return torch.optim.AdamW(parameters, lr=settings.learning_rate, weight_decay=settings.weight_decay)
