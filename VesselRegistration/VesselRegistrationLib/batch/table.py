"""Cases from a table: a CSV file, or rows that come from elsewhere."""

import csv
import io
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from ..dicom.overrides import GeometryOverrides
from ..errors import UserError
from ..mesh.checks import unit_in_mm
from ..mesh.reading import COORDINATE_SYSTEMS
from ..networks.field_of_view import AUTO, LOWER, UPPER
from ..registration.methods import method_named
from ..registration.result import ROI
from .case import BatchCase, BatchDefaults, CaseRequest
from .results import RESULT_FILES

NEEDED = ("case", "model", "xa")
GEOMETRY = {"primary": "primary_angle_deg", "secondary": "secondary_angle_deg", "sid": "sid_mm", "sod": "sod_mm",
            "pixel_spacing": "pixel_spacing_mm"}
COLUMNS = (*NEEDED, "frame", "mask", "roi", "method", "field_of_view", "threshold", "init", "model_space", "model_unit",
           *GEOMETRY)

_SEPARATOR = ";"
_CASE_NAME = re.compile(r"\w[\w .()+-]{0,98}")
_SURPLUS = "surplus cells"

Value = TypeVar("Value")


def read_table(path: Path, defaults: BatchDefaults) -> list[BatchCase]:
    """The cases of a CSV file with commas, in UTF-8; its paths count from the file's folder.

    What is wrong with one row is that case's ``problem``. Raises UserError where the table as a whole cannot be used.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise UserError(f"The table {path.name} cannot be read ({error.strerror}): give a CSV file.") from None
    except UnicodeDecodeError:
        raise UserError(f"The table {path.name} is not text in UTF-8: save it as CSV in UTF-8.") from None
    try:
        reader = csv.DictReader(io.StringIO(text, newline=""), restkey=_SURPLUS, restval="", strict=True)
        rows: list[dict[str, object]] = [{column_name(name): cell for name, cell in row.items()} for row in reader]
        names = [column_name(name) for name in reader.fieldnames or ()]
    except csv.Error as error:
        raise UserError(f"The table {path.name} is no proper CSV ({error}): save it again as CSV with commas.") \
            from None
    if len(set(names)) < len(names):
        raise UserError(f"The table {path.name} has a column twice: leave one out.")
    return cases_of_rows(rows, names, path.name, path.absolute().parent, defaults)


def cases_of_rows(rows: Sequence[Mapping[str, object]], columns: Sequence[str], name: str, base: Path | None,
                  defaults: BatchDefaults) -> list[BatchCase]:
    """The cases of a table's ``rows``, cells by column. Paths count from ``base``; where None they have to be whole.

    Raises UserError where columns are missing, or where names of cases are missing, twice there or no name for a
    folder: before any work is done.
    """
    missing = [column for column in NEEDED if column not in columns]
    if missing:
        raise UserError(f"The table {name} has no column {', '.join(missing)}: its first line has to name the columns "
                        f"{', '.join(NEEDED)}, separated by commas.")
    filled = [row for row in rows if any(_text(cell) for cell in row.values())]
    if not filled:
        raise UserError(f"The table {name} holds no case: give one row for each.")
    names = [_text(row["case"]) for row in filled]
    _check_names(names, name)
    return [_case(row, base, defaults) for row in filled]


def column_name(title: str) -> str:
    """A column's title in small letters and with underscores between words."""
    return title if title == _SURPLUS else re.sub(r"[\s-]+", "_", title.strip().lower())


def _case(row: Mapping[str, object], base: Path | None, defaults: BatchDefaults) -> BatchCase:
    cells = {column: text for column, cell in row.items() if (text := _text(cell))}
    case = cells.pop("case")
    try:
        return BatchCase(case, _request(cells, base, defaults))
    except UserError as problem:
        return BatchCase(case, None, str(problem))


def _request(cells: Mapping[str, str], base: Path | None, defaults: BatchDefaults) -> CaseRequest:
    if _SURPLUS in cells:
        raise UserError("The row has more cells than the table has columns: put cells that hold a comma in quotes.")
    unknown = [column for column in cells if column not in COLUMNS]
    if unknown:
        raise UserError(f"The column '{unknown[0]}' is not known: use {', '.join(COLUMNS)}.")
    for column in ("model", "xa"):
        if column not in cells:
            raise UserError(f"The cell '{column}' is empty: name a file.")
    xrays = tuple(_path(part, base) for part in _parts(cells["xa"]))
    count = len(xrays)
    masks = tuple(_path(part, base) for part in _parts(cells.get("mask", "")))
    if masks and len(masks) != count:
        raise UserError(f"There are {len(masks)} masks for {count} X-rays: give one for each, or none.")
    geometry = {value: _each(cells, column, float, count) for column, value in GEOMETRY.items()}
    return CaseRequest(
        model=_path(cells["model"], base),
        xrays=xrays,
        frames=tuple(_each(cells, "frame", int, count)),
        geometry=tuple(GeometryOverrides(**{name: values[number] for name, values in geometry.items()})
                       for number in range(count)),
        masks=masks,
        start=_path(cells["init"], base) if "init" in cells else None,
        roi=_roi(cells["roi"]) if "roi" in cells else None,
        model_space=_one_of(cells["model_space"].upper(), COORDINATE_SYSTEMS, "model_space")
        if "model_space" in cells else None,
        model_unit=_unit(cells.get("model_unit", "mm")),
        settings=_settings(cells, defaults),
    )


def _settings(cells: Mapping[str, str], defaults: BatchDefaults) -> BatchDefaults:
    settings = defaults
    if "method" in cells:
        method_named(cells["method"])
        settings = replace(settings, method=cells["method"])
    if "field_of_view" in cells:
        settings = replace(settings, field_of_view=_one_of(cells["field_of_view"], (AUTO, LOWER, UPPER),
                                                           "field_of_view"))
    if "threshold" in cells:
        [threshold] = _each(cells, "threshold", float, 1)
        settings = replace(settings, threshold=threshold if threshold is not None else settings.threshold)
    return settings


def _each(cells: Mapping[str, str], column: str, kind: Callable[[str], Value], count: int) -> list[Value | None]:
    """The values of a cell for ``count`` X-rays: none, one for all, or one for each."""
    parts = _parts(cells.get(column, ""))
    try:
        values = [kind(part) for part in parts]
    except ValueError:
        raise UserError(f"The cell '{column}' holds {cells[column]}, which is no "
                        f"{'whole ' if kind is int else ''}number.") from None
    if len(values) in (0, 1):
        return [values[0] if values else None] * count
    if len(values) != count:
        raise UserError(f"The cell '{column}' has {len(values)} values for {count} X-rays: give one for all of them, "
                        "or one for each.")
    return list(values)


def _roi(cell: str) -> ROI:
    try:
        x0, y0, x1, y1 = (float(part) for part in re.split(r"[;,\s]+", cell))
    except ValueError:
        raise UserError(f"The cell 'roi' holds {cell}, which is not of the form X0;Y0;X1;Y1.") from None
    return x0, y0, x1, y1


def _one_of(text: str, choices: Sequence[str], column: str) -> str:
    if text not in choices:
        raise UserError(f"The cell '{column}' holds {text}: use one of {', '.join(choices)}.")
    return text


def _unit(text: str) -> str:
    unit_in_mm(text)
    return text


def _path(text: str, base: Path | None) -> Path:
    path = Path(text)
    if path.is_absolute():
        return path
    if base is None:
        raise UserError(f"{text} is not a whole path, and the table comes from no file: give the path from its root.")
    return base / path


def _check_names(names: Sequence[str], table: str) -> None:
    seen: set[str] = set()
    for number, name in enumerate(names, start=1):
        if not _CASE_NAME.fullmatch(name) or name.endswith((".", " ")) or name.lower() in RESULT_FILES:
            raise UserError(f"In row {number} of {table} the case '{name}' cannot be the name of a folder: use "
                            "letters, digits, blanks and . _ - + ( ).")
        if name.lower() in seen:
            raise UserError(f"In {table} the case '{name}' is there twice: give every case a name of its own.")
        seen.add(name.lower())


def _parts(cell: str) -> list[str]:
    return [part.strip() for part in cell.split(_SEPARATOR) if part.strip()]


def _text(cell: object) -> str:
    """A cell as text without blanks around it; surplus cells come as a list."""
    return _SEPARATOR.join(map(str, cell)) if isinstance(cell, list) else str(cell if cell is not None else "").strip()
