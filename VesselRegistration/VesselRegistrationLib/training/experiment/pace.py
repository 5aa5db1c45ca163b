"""How long the steps of a training take here, so that a budget of minutes becomes a number of steps."""

import statistics
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from torch.utils.data import Dataset

from ...errors import Cancelled
from ...progress import ProgressCallback, StopCheck
from ..samples import Sample
from ..settings import TrainingSettings
from ..trainer import Place, Task, train

WARM_UP = 6
MEASURED = 10
TURNS = 3
_OF_ONE_SIZE = WARM_UP + MEASURED

MakeTask = Callable[[TrainingSettings], Task]


class Recurring(Dataset[Sample]):
    """The first ``count`` samples of a source again and again, each made anew.

    So the makers of samples are as busy as they are in a training that has met all its patients.
    """

    def __init__(self, source: Dataset[Sample], count: int) -> None:
        """Sample k is number k % ``count`` of ``source``."""
        self._source = source
        self._count = count

    def __getitem__(self, index: int) -> Sample:
        """Make sample ``index``."""
        return self._source[index % self._count]


def measure_paces(tasks: Mapping[str, MakeTask], settings: TrainingSettings, place: Place,
                  progress: ProgressCallback, should_stop: StopCheck) -> dict[str, float]:
    """Seconds per step of each task, as often at half and at full size as in a training by ``settings``.

    The tasks take turns, so that a busy machine is as hard on all of them; the median of the turns counts. Nothing is
    left behind. Raises Cancelled on request.
    """
    seconds: dict[str, list[float]] = {name: [] for name in tasks}
    for turn in range(TURNS):
        for number, (name, make) in enumerate(tasks.items()):
            progress((turn * len(tasks) + number) / (TURNS * len(tasks)), f"measuring the pace of {name}")
            seconds[name].append(_seconds_per_step(make, settings, place, should_stop))
    return {name: statistics.median(taken) for name, taken in seconds.items()}


def steps_in(minutes: float, seconds_per_step: float) -> int:
    """How many steps fill the minutes, at least one."""
    return max(1, round(60.0 * minutes / seconds_per_step))


def _seconds_per_step(make: MakeTask, settings: TrainingSettings, place: Place, should_stop: StopCheck) -> float:
    planned = 2 * _OF_ONE_SIZE
    # A training that is stopped one step before its end never validates.
    short = replace(settings, steps=planned + 1, half_size_fraction=_OF_ONE_SIZE / (planned + 1), epoch_size=0,
                    first_fill=2 * settings.batch_size, validate_every=planned + 1, checkpoint_every=planned + 1)
    task = make(short)
    task.samples = Recurring(task.samples, settings.batch_size)
    ended: list[float] = []
    with TemporaryDirectory() as folder, suppress(Cancelled):
        train(task, short, Path(folder) / "pace", seed=0, place=place, resume=False,
              progress=lambda share, text: ended.append(time.perf_counter()),
              should_stop=lambda: len(ended) == planned or should_stop())
    if len(ended) < planned:
        raise Cancelled("Stopped on request while the pace was measured; run the command again.")
    half, full = ((ended[first + _OF_ONE_SIZE - 1] - ended[first + WARM_UP - 1]) / MEASURED
                  for first in (0, _OF_ONE_SIZE))
    return settings.half_size_fraction * half + (1.0 - settings.half_size_fraction) * full
