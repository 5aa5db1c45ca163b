"""The files of a training: checkpoint and best weights, written in one step each."""

import errno
import os
import pickle
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import torch

from ..errors import UserError

CHECKPOINT_FILE = "checkpoint.pt"
BEST_FILE = "best.pt"
PARTIAL = ".partial"


def save_checkpoint(folder: Path, name: str, content: dict[str, Any]) -> None:
    """Write a file of a training folder in one step: a kill or a full disk leaves the file that was there before.

    Raises UserError where it cannot be written.
    """
    temporary = folder / f".{name}{PARTIAL}"
    try:
        with temporary.open("wb") as file:
            torch.save(content, file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, folder / name)
    except (OSError, RuntimeError) as problem:
        temporary.unlink(missing_ok=True)
        raise UserError(f"The checkpoint in {folder} cannot be written ({_reason(problem)}): make room there and go on "
                        "with --resume; the last checkpoint is kept.") from None


def read_checkpoint(folder: Path, name: str = CHECKPOINT_FILE) -> dict[str, Any]:
    """A file of a training folder, on the CPU. Raises UserError where there is none or it cannot be read."""
    path = folder / name
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise UserError(f"There is no training to go on with in {folder}: name the folder of an earlier one.") from None
    except (OSError, RuntimeError, EOFError, ValueError, KeyError, BadZipFile, pickle.UnpicklingError):
        raise UserError(f"The checkpoint {path} is damaged or cut short: start the training again in another "
                        "folder.") from None


def read_best(folder: Path) -> dict[str, Any]:
    """The weights of a training with the best validation score, or the last ones where none was validated yet.

    Errors as in :func:`read_checkpoint`.
    """
    return read_checkpoint(folder, BEST_FILE if (folder / BEST_FILE).exists() else CHECKPOINT_FILE)


def _reason(problem: Exception) -> str:
    # torch's zip writer hides the system's reason of a failed write in an error of its own.
    if isinstance(problem, OSError) and problem.strerror:
        return problem.strerror
    cause = problem.__context__
    return cause.strerror if isinstance(cause, OSError) and cause.strerror else os.strerror(errno.ENOSPC)
