"""The results of a batch on disk: results.csv and results.json over the folders of the cases."""

import csv
import io
import json
import os
from collections.abc import Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from ..errors import UserError
from ..registration.result_file import software_versions
from .case import DONE, FAILED, BatchCase, CaseRow

TABLE_FILE = "results.csv"
SUMMARY_FILE = "results.json"
RESULT_FILES = (TABLE_FILE, SUMMARY_FILE)
CASE_FILE = "case.json"

_SCHEMA_VERSION = 1


def check_batch_folder(out: Path, resume: bool) -> None:
    """Refuse, before any work is done, a folder for a batch (UserError): one that is not empty, or with ``resume``
    one that holds something else than a batch."""
    from ..rendering.new_folder import check_new_folder, check_writable

    if resume and (out / SUMMARY_FILE).is_file():
        check_writable(out / SUMMARY_FILE)
    elif resume and out.is_dir() and any(out.iterdir()):
        raise UserError(f"The folder {out} holds no batch to go on with: name that of an interrupted one, or a new "
                        "one.")
    else:
        try:
            check_new_folder(out)
        except UserError:
            if (out / SUMMARY_FILE).is_file():
                raise UserError(f"The folder {out} holds a batch already: go on with it (--resume), or name a new "
                                "one.") from None
            raise


def case_content(row: CaseRow, fingerprint: str) -> dict[str, Any]:
    """The content of case.json, which makes a folder known as that of a finished case."""
    return {"schema_version": _SCHEMA_VERSION, "fingerprint": fingerprint, "row": asdict(row)}


def finished_row(case: BatchCase, out: Path) -> CaseRow | None:
    """The row of a case that was finished before, None where it was not.

    Raises UserError where its folder holds something else, or where it was made from other files or settings.
    """
    folder = out / case.name
    if not folder.exists() or case.request is None:
        return None
    try:
        content = json.loads((folder / CASE_FILE).read_text(encoding="utf-8"))
        row, made_from = CaseRow.from_dict(content["row"]), content["fingerprint"]
    except (OSError, ValueError, KeyError, TypeError):
        raise UserError(f"The folder of {case.name} holds something else than a finished case: move it away, or name "
                        "the case otherwise.") from None
    if made_from != case.request.fingerprint():
        raise UserError(f"{case.name} was done before with other files or settings: move its folder away to do it "
                        "again.")
    return row


def write_results(out: Path, names: Sequence[str], rows: Sequence[CaseRow]) -> None:
    """Write both files, each in one step, with the rows in the order of ``names``. Raises UserError where it cannot."""
    ordered = sorted(rows, key=lambda row: names.index(row.case))
    summary = {
        "schema_version": _SCHEMA_VERSION,
        "cases": len(names),
        "done": sum(row.status == DONE for row in rows),
        "failed": sum(row.status == FAILED for row in rows),
        "open": len(names) - len(rows),
        "software": software_versions(),
        "rows": [asdict(row) for row in ordered],
    }
    table = io.StringIO(newline="")
    writer = csv.DictWriter(table, [field.name for field in fields(CaseRow)])
    writer.writeheader()
    writer.writerows(asdict(row) | {"notes": " ".join(row.notes)} for row in ordered)
    try:
        _replace(out / TABLE_FILE, table.getvalue())
        _replace(out / SUMMARY_FILE, json.dumps(summary, indent=2, allow_nan=False) + "\n")
    except OSError as problem:
        raise UserError(f"The results cannot be written to {out} ({problem.strerror}): is the disk full?") from None


def _replace(path: Path, text: str) -> None:
    temporary = path.with_name(f".{path.name}.partial")
    try:
        with temporary.open("w", encoding="utf-8", newline="") as file:
            file.write(text)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
