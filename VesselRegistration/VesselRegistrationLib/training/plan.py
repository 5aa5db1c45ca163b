"""Everything that a user decides about a training, from the command line or a TOML file."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from ..errors import UserError
from .frame_folder.options import FolderOptions
from .settings import BOTH, FIELDS_OF_VIEW, OURS, TrainingSettings

VESSELS = "vessels"
CATHETER = "catheter"
MATCHING = "matching"
TASKS = (VESSELS, CATHETER, MATCHING)
_SETTINGS = "settings"


@dataclass(frozen=True)
class TrainingPlan:
    """What to train, on what, from which weights.

    ``task`` is "vessels", "catheter" or "matching", ``network`` one of its networks and ``recipe`` "ours" or "paper";
    ``settings`` holds settings of :class:`.settings.TrainingSettings` that differ from the recipe's. ``data`` is a
    folder of annotated frames, "" for simulated ones, read as ``folder_options`` says. ``init`` names the first
    weights: shipped ones, a model card, a training's folder or checkpoint; "" starts anew. ``freeze`` is the number of
    first layers that stay as they are, or "all-but-7", "all-but-13" or "all-but-19" for the deepest layers alone.
    """

    task: str
    network: str = OURS
    recipe: str = OURS
    field_of_view: str = BOTH
    seed: int = 0
    data: str = ""
    init: str = ""
    freeze: str = ""
    folder_options: FolderOptions = field(default_factory=FolderOptions)
    settings: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Raise UserError for what cannot be."""
        if self.task not in TASKS:
            raise UserError(f"There is no training of '{self.task}': choose {', '.join(TASKS)}.")
        if self.field_of_view not in (*FIELDS_OF_VIEW, BOTH):
            raise UserError(f"The field of view '{self.field_of_view}' is not known: choose lower, upper or both.")
        if self.seed < 0:
            raise UserError(f"The seed {self.seed} is negative: give 0 or a larger whole number.")
        if self.data and self.task == MATCHING:
            raise UserError("The matching network is trained on simulated pairs alone: leave out the data folder.")

    def applied(self, settings: TrainingSettings) -> TrainingSettings:
        """The recipe's settings with the plan's changes."""
        return replace(settings, **self.settings)


def read_plan(task: str, path: Path | None, given: Mapping[str, Any]) -> TrainingPlan:
    """The plan of a TOML file, if any, with what is ``given`` beside it, which wins; None means not given.

    ``given`` has the names of the plan, of the folder's options and of the settings. Raises UserError for a file that
    cannot be read, a key that is not known and a value of the wrong kind.
    """
    content = _read_toml(path) if path else {}
    changes = content.pop(_SETTINGS, {})
    if not isinstance(changes, dict):
        raise UserError(f"'{_SETTINGS}' in {path} is no table: write [{_SETTINGS}] above the settings.")
    where = f" in {path}" if path else ""
    known = {entry.name for entry in fields(TrainingPlan)} - {"task", "settings", "folder_options"}
    of_folder = {entry.name for entry in fields(FolderOptions)}
    of_training = {entry.name for entry in fields(TrainingSettings)}
    for key in content:
        if key not in known | of_folder:
            hint = f"it belongs under [{_SETTINGS}]" if key in of_training else (
                f"the known ones are {', '.join(sorted(known | of_folder))} and the table [{_SETTINGS}]")
            raise UserError(f"The key '{key}'{where} is not known: {hint}.")
    for key in changes:
        if key not in of_training:
            raise UserError(f"The setting '{key}'{where} is not known: the known ones are "
                            f"{', '.join(sorted(of_training))}.")
    for key, value in given.items():
        if value is not None:
            (changes if key in of_training else content)[key] = value
    return TrainingPlan(
        task, folder_options=FolderOptions(**_checked(FolderOptions, content, of_folder, where)),
        settings=_possible(_checked(TrainingSettings, changes, of_training, where), where),
        **_checked(TrainingPlan, content, known, where))


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as problem:
        raise UserError(f"The settings file {path} cannot be read ({problem.strerror}): name another.") from None
    except ValueError as problem:
        raise UserError(f"The settings file {path} is not valid TOML ({problem}): correct it.") from None


def _checked(kind: type, content: Mapping[str, Any], names: set[str], where: str) -> dict[str, Any]:
    types = {entry.name: entry.type for entry in fields(kind)}
    return {key: _value(key, value, types[key], where) for key, value in content.items() if key in names}


def _value(key: str, value: Any, kind: Any, where: str) -> Any:
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if key == "freeze" and isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if kind in (str, bool, int, float):
        if type(value) is kind:
            return value
    elif isinstance(value, list | tuple):
        inner = int if kind == tuple[int, ...] else str
        if all(type(entry) is inner for entry in value):
            return tuple(value)
    names = {str: "text", bool: "true or false", int: "a whole number", float: "a number"}
    raise UserError(f"'{key}'{where} is {value!r}: it must be {names.get(kind, 'a list of names or whole numbers')}.")


_NOT_NEGATIVE = ("weight_decay", "warmup_steps", "gradient_clip", "half_size_fraction", "epoch_size", "patience",
                 "first_fill")


def _possible(changes: dict[str, Any], where: str) -> dict[str, Any]:
    for key, value in changes.items():
        if isinstance(value, bool | str):
            continue
        if value < 0 or (value == 0 and key not in _NOT_NEGATIVE):
            least = "0 or more" if key in _NOT_NEGATIVE else "more than 0"
            raise UserError(f"'{key}'{where} is {value:g}: it must be {least}.")
    return changes
