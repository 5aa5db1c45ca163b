"""Batches from Slicer: tables of cases come as nodes, and results go to one."""

from collections.abc import Sequence
from dataclasses import asdict, fields
from pathlib import Path

import slicer
import vtk

from ..batch.case import BatchCase, BatchDefaults, CaseRow
from ..batch.running import read_cases, run_batch
from ..batch.table import cases_of_rows, column_name
from ..errors import UserError
from ..networks.field_of_view import AUTO
from ..progress import ProgressCallback, StopCheck, ignore_progress, never_stop
from ..registration.masks import DEFAULT_THRESHOLD
from ..registration.methods import POSE

RESULT_TABLE_NAME = "Batch results"

_NUMBERS = ("probability_within_2mm", "mrpd_mm", "mrpd_low_mm", "mrpd_high_mm", "depth_sd_mm", "dice", "views",
            "seconds")


def processCases(scene: slicer.vtkMRMLScene, cases: slicer.vtkMRMLTableNode | Path | str, outputFolder: Path | str,
                 defaults: BatchDefaults, resume: bool = False, progress: ProgressCallback = ignore_progress,
                 shouldStop: StopCheck = never_stop) -> tuple[list[CaseRow], slicer.vtkMRMLTableNode]:
    """Register many cases one after another: a row for each, and a new table node that shows the rows.

    ``cases`` is a table node or CSV file with the columns of ``vessel-registration batch``, or a folder with a
    sub-folder for each case. See ``run_batch``.
    """
    from ..panel.dependencies import ensureNetworks

    ensureNetworks()
    if isinstance(cases, slicer.vtkMRMLTableNode):
        requests = casesFromTable(cases, defaults)
    else:
        requests = read_cases(Path(cases), defaults)
    rows = run_batch(requests, Path(outputFolder), resume=resume, progress=progress, should_stop=shouldStop)
    return rows, showRows(scene, rows)


def defaultsFrom(method: str = POSE, device: str = "auto", fieldOfView: str = AUTO,
                 threshold: float = DEFAULT_THRESHOLD, network: Path | str | None = None) -> BatchDefaults:
    """What holds for the cases that do not say it themselves."""
    return BatchDefaults(method, device, fieldOfView, threshold, Path(network) if network else None)


def casesFromTable(tableNode: slicer.vtkMRMLTableNode, defaults: BatchDefaults) -> list[BatchCase]:
    """The cases of a table node; its paths count from the folder of the file that it was loaded from.

    Raises UserError where the table as a whole cannot be used.
    """
    table = tableNode.GetTable()
    if table is None or table.GetNumberOfRows() == 0:
        raise UserError(f"The table {tableNode.GetName()} is empty: give one row for each case.")
    count = table.GetNumberOfColumns()
    columns = [column_name(table.GetColumnName(number) or "") for number in range(count)]
    rows: list[dict[str, object]] = [
        {columns[number]: table.GetValue(row, number).ToString() for number in range(count)}
        for row in range(table.GetNumberOfRows())]
    storageNode = tableNode.GetStorageNode()
    fileName = storageNode.GetFileName() if storageNode is not None else None
    base = Path(fileName).absolute().parent if fileName else None
    return cases_of_rows(rows, columns, tableNode.GetName(), base, defaults)


def showRows(scene: slicer.vtkMRMLScene, rows: Sequence[CaseRow]) -> slicer.vtkMRMLTableNode:
    """A new table node with a row for each case; numbers that are not known are NaN."""
    tableNode = scene.AddNewNodeByClass("vtkMRMLTableNode", scene.GenerateUniqueName(RESULT_TABLE_NAME))
    contents = [asdict(row) | {"notes": " ".join(row.notes)} for row in rows]
    for field in fields(CaseRow):
        column = vtk.vtkDoubleArray() if field.name in _NUMBERS else vtk.vtkStringArray()
        column.SetName(field.name)
        for content in contents:
            value = content[field.name]
            column.InsertNextValue(float("nan") if value is None else value)
        tableNode.AddColumn(column)
    return tableNode
