"""The folder of an experiment: it belongs to one budget, and its files are written in one step each."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ...errors import UserError

REPORT_FILE = "report.md"
RESULT_FILE = "report.json"
_BUDGET_FILE = "budget.json"
_PARTIAL = ".partial"


def claim(out: Path, budget: Mapping[str, Any]) -> None:
    """Make ``out`` the folder of an experiment with this budget, in values that JSON knows, or check that it is.

    Raises UserError where it holds another experiment or other files, or cannot be used.
    """
    path = out / _BUDGET_FILE
    wanted = json.loads(json.dumps(budget))
    try:
        if path.exists():
            if json.loads(path.read_text(encoding="utf-8")) != wanted:
                raise UserError(f"The folder {out} holds an experiment of another budget: choose another folder.")
            return
        out.mkdir(parents=True, exist_ok=True)
        if any(not entry.name.endswith(_PARTIAL) for entry in out.iterdir()):
            raise UserError(f"The folder {out} is not empty: choose another.")
    except (OSError, ValueError):
        raise UserError(f"The folder {out} cannot be used: choose another.") from None
    write(path, wanted)


def write(path: Path, content: Any) -> None:
    """Write text as it is, anything else as JSON, in one step. Raises UserError where there is no room."""
    temporary = path.with_name(f".{path.name}{_PARTIAL}")
    text = content if isinstance(content, str) else json.dumps(content, indent=2) + "\n"
    try:
        temporary.write_text(text, encoding="utf-8")
        os.replace(temporary, path)
    except OSError as problem:
        raise UserError(f"{path} cannot be written ({problem.strerror}): make room there and run the command "
                        "again.") from None
