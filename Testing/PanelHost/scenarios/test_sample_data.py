"""The sample case in Slicer's Sample Data module, and batches from the Python console.

Run by Testing/Python/test_panel.py in a process of its own.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from urllib.parse import urlparse
from urllib.request import url2pathname

import pytest
import slicer
from VesselRegistrationLib.errors import UserError
from VesselRegistrationLib.registration import methods
from VesselRegistrationLib.registration.task import PoseAnswer
from VesselRegistrationLib.resources import resource_directory


@pytest.fixture
def source(panel):
    """What the module registered when Slicer had started."""
    import SampleData

    return SampleData.SampleDataLogic.sources[-1]


def testTheSampleCaseIsOfferedWithItsThumbnail(source):
    thumbnail = Path(source["thumbnailFileName"]).read_bytes()
    assert thumbnail[:8] == b"\x89PNG\r\n\x1a\n"
    width, height = int.from_bytes(thumbnail[16:20]), int.from_bytes(thumbnail[20:24])
    assert (width, height) == (300, 200)
    # Slicer refuses lists of different lengths, and shows a name that is not empty.
    assert len({len(source[name]) for name in ("uris", "fileNames", "nodeNames", "loadFiles")}) == 1
    assert source["sampleName"] and source["category"] == "HybridOR"
    assert all(Path(url2pathname(urlparse(uri).path)).is_file() for uri in source["uris"])


def testLoadingIsLikeThePanelsButton(panel, source, host):
    nodes = source["customDownloader"](source)
    host.settle()
    model, *xrays = nodes
    panel.ui.sampleButton.click()
    host.settle()
    own = [panel.ui.modelSelector.currentNode(), panel.ui.xraySelector.currentNode(),
           panel.ui.secondXraySelector.currentNode()]
    assert not set(nodes) & set(own) and len(xrays) == 2
    assert model.GetPolyData().GetNumberOfPoints() == own[0].GetPolyData().GetNumberOfPoints()
    for node, other in zip(xrays, own[1:], strict=True):
        names = set(node.GetAttributeNames()) - {"HybridOR.run"}
        header = {name: node.GetAttribute(name) for name in names if name.startswith("HybridOR.header")}
        assert len(header) > 5 and header == {name: other.GetAttribute(name) for name in header}
        assert node.GetImageData().GetDimensions() == other.GetImageData().GetDimensions()
        assert panel.logic.frameRange(node) == panel.logic.frameRange(other)
        assert panel.logic.frameRange(node)[1] > 1


def testWhatGoesWrongIsSaid(source, silence, monkeypatch):
    from VesselRegistrationLib.panel import dependencies

    def refuse() -> None:
        raise UserError("The Python packages x could not be installed: allow it.")

    monkeypatch.setattr(dependencies, "ensureReading", refuse)
    assert source["customDownloader"](source) == []
    [popup] = silence.popups
    assert "could not be installed" in popup
    silence.popups.clear()


@pytest.fixture
def quick(monkeypatch):
    """Every registration ends where it would begin."""
    monkeypatch.setitem(methods.METHODS, "pose", lambda task, progress, shouldStop: PoseAnswer(task.initial_pose))


def addTable(rows: list[dict[str, str]]):
    """A table node of text columns."""
    import vtk

    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLTableNode", "Cases")
    for name in rows[0]:
        column = vtk.vtkStringArray()
        column.SetName(name)
        for row in rows:
            column.InsertNextValue(row[name])
        node.AddColumn(column)
    return node


def testCasesOfATableNode(panel, quick, tmp_path):
    sample = resource_directory() / "SampleCase"
    good = {"Case": "good", "model": str(sample / "model.vtp"), "xa": str(sample / "view_1.dcm"), "frame": "3",
            "mask": str(sample / "vessel_mask_1.png")}
    table = addTable([good, good | {"Case": "bad", "xa": "view_1.dcm"}])
    heard = []
    rows, results = panel.logic.processCases(table, tmp_path / "out", method="pose",
                                             progress=lambda fraction, text: heard.append(text))
    assert [(row.case, row.status) for row in rows] == [("good", "done"), ("bad", "failed")]
    assert "whole path" in rows[1].reason
    assert any(text.startswith("good: ") for text in heard)
    result = json.loads((tmp_path / "out" / "good" / "result.json").read_text(encoding="utf-8"))
    assert result["views"][0]["frame"] == 3 and result["status"] == rows[0].verdict
    shown = results.GetTable()
    assert shown.GetNumberOfRows() == 2
    assert [shown.GetValueByName(row, "status").ToString() for row in range(2)] == ["done", "failed"]
    assert shown.GetValueByName(0, "dice").ToDouble() == pytest.approx(rows[0].dice)
    assert str(shown.GetValueByName(1, "dice").ToDouble()) == "nan"
    with pytest.raises(UserError, match="--resume"):
        panel.logic.processCases(table, tmp_path / "out")
    again, other = panel.logic.processCases(table, tmp_path / "out", resume=True)
    assert again == rows and other is not results


def testCasesOfAFolderAndOfATableFile(panel, quick, tmp_path):
    sample = resource_directory() / "SampleCase"
    (tmp_path / "cases" / "one").mkdir(parents=True)
    shutil.copy(sample / "model.vtp", tmp_path / "cases" / "one")
    rows, _ = panel.logic.processCases(tmp_path / "cases", tmp_path / "out")
    assert [(row.case, row.status) for row in rows] == [("one", "failed")]
    (tmp_path / "cases.csv").write_text("case,model,xa,mask\na,cases/one/model.vtp,"
                                        f"{sample / 'view_0.dcm'},{sample / 'vessel_mask_0.png'}\n")
    rows, _ = panel.logic.processCases(str(tmp_path / "cases.csv"), str(tmp_path / "other"), fieldOfView="lower")
    assert [(row.case, row.status, row.views) for row in rows] == [("a", "done", 1)]
    with pytest.raises(UserError, match="cannot be read"):
        panel.logic.processCases(tmp_path / "nowhere.csv", tmp_path / "more")
    table = addTable([{"case": "a", "model": "m.vtp"}])
    with pytest.raises(UserError, match="no column xa"):
        panel.logic.processCases(table, tmp_path / "more")
    assert not (tmp_path / "more").exists()
