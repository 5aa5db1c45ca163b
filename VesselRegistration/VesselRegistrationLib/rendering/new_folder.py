"""Output folders that appear whole or not at all."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from ..errors import UserError


def check_new_folder(out: Path) -> None:
    """Refuse, before any work is done, a folder that is not empty or that cannot be made (UserError). Leaves no trace.

    Folders that do not exist yet are fine if the nearest one above them can be written.
    """
    try:
        if out.exists() and not out.is_dir():
            raise UserError(f"{out} is a file: name a new or empty folder for the output.")
        if out.is_dir() and any(out.iterdir()):
            raise UserError(f"The folder {out} is not empty: name a new or empty folder for the output.")
    except OSError as problem:
        raise _cannot_write(out, problem) from None
    check_writable(out)


def check_writable(path: Path) -> None:
    """Refuse a file or folder that cannot be made where it shall be (UserError). Leaves no trace."""
    try:
        parent = next(folder for folder in path.absolute().parents if folder.exists())
        os.rmdir(tempfile.mkdtemp(dir=parent, prefix=".hybridor-"))
    except OSError as problem:
        raise _cannot_write(path, problem) from None


@contextmanager
def new_folder(out: Path) -> Iterator[Path]:
    """Give a temporary folder beside ``out`` that becomes ``out`` when the block ends, and vanishes if it fails.

    Raises UserError where ``out`` is not empty or cannot be written.
    """
    check_new_folder(out)
    out = out.absolute()
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        workplace = out.parent / f".{out.name}-{uuid4().hex}"
        workplace.mkdir()
    except OSError as problem:
        raise _cannot_write(out, problem) from None
    try:
        yield workplace
        if out.is_dir():  # it is empty; some systems do not rename onto a folder
            out.rmdir()
        workplace.rename(out)
    except OSError as problem:
        raise _cannot_write(out, problem) from problem
    finally:
        shutil.rmtree(workplace, ignore_errors=True)


def _cannot_write(out: Path, problem: OSError) -> UserError:
    return UserError(f"{out} cannot be written ({problem.strerror or problem}): choose another place.")


def free_folder(name: str) -> Path:
    """The folder of a name, or with the first number behind it that no folder has yet; it is not made."""
    folder, number = Path(name), 1
    while folder.exists():
        number += 1
        folder = Path(f"{name}-{number}")
    return folder
