"""The log of a training: a CSV file, and TensorBoard events where TensorBoard is installed."""

import csv
import importlib.util
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..errors import UserError

LOG_FILE = "log.csv"
EVENTS_FOLDER = "tensorboard"
_COLUMNS = ("step", "seconds", "learning_rate", "loss", "validation")


class TrainingLog:
    """One row per checkpoint; rows beyond the checkpoint that a training goes on from are dropped."""

    def __init__(self, folder: Path, first_step: int, *, resume: bool) -> None:
        """Start a log, or go on with the rows up to ``first_step``. Raises UserError where it cannot be written."""
        self._path = folder / LOG_FILE
        self._events = _event_writer(folder, first_step)
        if resume and self._path.exists():
            self._write([tuple(row.values()) for row in read_log(folder) if int(row["step"]) <= first_step], "w")
        else:
            self._write([], "w")

    def add(self, step: int, seconds: float, rate: float, loss: float, score: float | None) -> None:
        """Add a row: the mean ``loss`` since the last one and the newest validation ``score``."""
        self._write([(step, f"{seconds:.1f}", f"{rate:.3g}", f"{loss:.5f}", "" if score is None else f"{score:.4f}")],
                    "a")
        if self._events is not None:
            self._events.add_scalar("loss", loss, step)
            self._events.add_scalar("learning_rate", rate, step)
            self._events.flush()

    def add_scores(self, step: int, scores: Mapping[str, float]) -> None:
        """Add the scores of a validation to the events."""
        if self._events is not None:
            for name, value in scores.items():
                self._events.add_scalar(f"validation/{name}", value, step)

    def close(self) -> None:
        """Finish the events."""
        if self._events is not None:
            self._events.close()

    def _write(self, rows: list[tuple[Any, ...]], mode: str) -> None:
        try:
            with self._path.open(mode, newline="", encoding="utf-8") as file:
                csv.writer(file).writerows([_COLUMNS, *rows] if mode == "w" else rows)
        except OSError as problem:
            raise UserError(f"The log {self._path} cannot be written ({problem.strerror}): make room there and go on "
                            "with --resume; the last checkpoint is kept.") from None


def read_log(folder: Path) -> list[dict[str, str]]:
    """Rows of a training's log, without one that was cut short. Raises UserError where there is no log."""
    try:
        with (folder / LOG_FILE).open(newline="", encoding="utf-8") as file:
            return [row for row in csv.DictReader(file) if row["step"].isdigit() and None not in row.values()]
    except OSError as problem:
        raise UserError(f"The log {folder / LOG_FILE} cannot be read ({problem.strerror}): put it back, or start the "
                        "training again in another folder.") from None


def events_possible() -> bool:
    """Whether TensorBoard is installed."""
    return importlib.util.find_spec("tensorboard") is not None


def _event_writer(folder: Path, first_step: int) -> Any:
    if not events_possible():
        return None
    from torch.utils.tensorboard import SummaryWriter

    return SummaryWriter(str(folder / EVENTS_FOLDER), purge_step=first_step + 1)
