"""Batches: tables of cases in, folders and rows of results out."""

import csv
import json
import os
import shutil
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pydicom
import pytest
from VesselRegistrationLib.batch.case import BatchDefaults, CaseRow
from VesselRegistrationLib.batch.running import read_cases, run_batch
from VesselRegistrationLib.batch.table import COLUMNS
from VesselRegistrationLib.cli.main import main
from VesselRegistrationLib.errors import Cancelled, UserError
from VesselRegistrationLib.registration import methods
from VesselRegistrationLib.registration.result import RegistrationResult
from VesselRegistrationLib.registration.task import PoseAnswer
from VesselRegistrationLib.spreading import spread

NAME, IDENTIFIER = "Zebedee^Quux", "ZQ-4711"


@pytest.fixture(scope="module")
def studies(lower_case, tmp_path_factory) -> Path:
    """A folder with the files of a case whose X-rays name a patient."""
    folder = tmp_path_factory.mktemp("studies")
    for source in lower_case.iterdir():
        shutil.copy(source, folder / source.name)
    for number in range(2):
        dataset = pydicom.dcmread(folder / f"view_{number}.dcm")
        dataset.PatientName, dataset.PatientID = NAME, IDENTIFIER
        dataset.save_as(folder / f"view_{number}.dcm")
    return folder


@pytest.fixture
def solved(monkeypatch):
    """The number of views in which poses were looked for; none was found, so that there is little to write."""
    calls = []

    def answer(task, progress, should_stop):
        calls.append(len(task.views))
        return PoseAnswer(None, ("Not looked for.",))

    monkeypatch.setitem(methods.METHODS, "pose", answer)
    return calls


def table(folder, *rows, columns="case,model,xa,frame,mask,method", name="cases.csv"):
    path = folder / name
    path.write_text("\n".join([columns, *rows]) + "\n", encoding="utf-8")
    return path


ONE = "one,model.vtp,view_0.dcm,2,vessel_mask_0.png,"
TWO = "two views,model.vtp,view_0.dcm; view_1.dcm,2;1,vessel_mask_0.png;vessel_mask_1.png,"
MISSING = "third,model.vtp,nowhere.dcm,,,"


def cases_of(path, **defaults):
    return read_cases(path, BatchDefaults(**defaults))


# Tables


def test_a_row_becomes_a_request(tmp_path):
    columns = ",".join(COLUMNS).replace("field_of_view", "Field of View")
    row = ('A 1,m.stl,"x.dcm; /far/y.dcm",3;0,a.png;b.png,"10, 20, 300, 400",affine,upper,0.25,start.json,ras,cm,'
           "30;-20,,1100,700;710,0.2")
    [case] = cases_of(table(tmp_path, row, ",,,,,,,,,,,,,,,,", columns="\ufeff" + columns), device="cpu")
    assert case.problem == "" and case.name == "A 1"
    request = case.request
    assert request.model == tmp_path / "m.stl"
    assert request.xrays == (tmp_path / "x.dcm", Path("/far/y.dcm"))
    assert request.frames == (3, 0) and request.masks == (tmp_path / "a.png", tmp_path / "b.png")
    assert request.roi == (10, 20, 300, 400)
    assert asdict(request.settings) == {"method": "affine", "device": "cpu", "field_of_view": "upper",
                                        "threshold": 0.25, "network": None}
    assert (request.start, request.model_space, request.model_unit) == (tmp_path / "start.json", "RAS", "cm")
    first, second = request.geometry
    assert (first.primary_angle_deg, first.secondary_angle_deg, first.sid_mm, first.sod_mm) == (30, None, 1100, 700)
    assert (second.primary_angle_deg, second.sod_mm, second.pixel_spacing_mm) == (-20, 710, 0.2)


@pytest.mark.parametrize(("columns", "row", "says"), [
    ("methd", "pose", "column 'methd' is not known"),
    ("method", "icp", "method 'icp' is not known"),
    ("frame", "1;2", "2 values for 1 X-rays"),
    ("frame", "first", "no whole number"),
    ("mask", "a.png;b.png", "2 masks for 1 X-rays"),
    ("roi", "1;2;3", "X0;Y0;X1;Y1"),
    ("sid", "-5", "source to detector distance"),
    ("primary", "200", "primary angle"),
    ("field_of_view", "left", "field_of_view"),
    ("model_unit", "inch", "unit"),
    ("method", "pose,more", "more cells"),
])
def test_what_is_wrong_with_one_row_is_that_cases_problem(tmp_path, columns, row, says):
    path = table(tmp_path, f"bad,m.vtp,x.dcm,{row}", "good,m.vtp,x.dcm,", columns=f"case,model,xa,{columns}")
    bad, good = cases_of(path)
    assert says in bad.problem and bad.request is None
    assert good.problem == "" and good.request is not None


@pytest.mark.parametrize(("columns", "rows", "says"), [
    ("case,model", ["a,m.vtp"], "no column xa"),
    ("case,model,xa", [], "no case"),
    ("case,model,xa", ["a,m,x", "A,m,x"], "twice"),
    ("case,model,xa", ["../a,m,x"], "name of a folder"),
    ("case,model,xa", [",m,x"], "name of a folder"),
    ("case,model,xa", ["results.csv,m,x"], "name of a folder"),
    ("case,model,xa,Model", ["a,m,x,m"], "column twice"),
    ("case,model,xa", ['a,"m,x'], "no proper CSV"),
])
def test_a_table_that_cannot_be_used_is_refused_before_any_work(tmp_path, columns, rows, says):
    with pytest.raises(UserError, match=says):
        cases_of(table(tmp_path, *rows, columns=columns))


def test_no_table_and_no_text_are_one_sentence(tmp_path):
    with pytest.raises(UserError, match="cannot be read"):
        cases_of(tmp_path / "nowhere.csv")
    (tmp_path / "latin.csv").write_bytes("case,model,xa\nM\u00fcller,m,x\n".encode("latin-1"))
    with pytest.raises(UserError, match="UTF-8"):
        cases_of(tmp_path / "latin.csv")


def test_a_folder_of_cases(studies, tmp_path):
    for name, files in (("a", ["model.vtp", "view_1.dcm", "view_0.dcm", "truth.json"]), ("b", ["model.vtp"]),
                        ("c", ["view_0.dcm"]), (".hidden", [])):
        (tmp_path / name).mkdir()
        for file in files:
            shutil.copy(studies / file, tmp_path / name / file.replace("view_1.dcm", "no ending"))
    (tmp_path / "readme.txt").write_text("not a case")
    a, b, c = cases_of(tmp_path, method="affine")
    assert a.name == "a" and a.request.settings.method == "affine"
    assert a.request.model == tmp_path / "a" / "model.vtp"
    assert [path.name for path in a.request.xrays] == ["no ending", "view_0.dcm"]
    assert "0 DICOM files" in b.problem and "0 model files" in c.problem
    with pytest.raises(UserError, match="sub-folders"):
        cases_of(tmp_path / "b")


# Runs


def test_a_failing_case_is_reported_and_the_rest_go_on(studies, tmp_path, monkeypatch):
    solved = []

    def answer(task, progress, should_stop):
        solved.append(len(task.views))
        return PoseAnswer(task.initial_pose)

    monkeypatch.setitem(methods.METHODS, "pose", answer)
    cases = cases_of(table(studies, MISSING, TWO, "odd,model.vtp,view_0.dcm,x,,", ONE))
    heard = []
    rows = run_batch(cases, tmp_path / "out", progress=lambda fraction, text: heard.append(fraction))
    assert solved == [2, 1]
    assert [row.case for row in rows] == ["third", "two views", "odd", "one"]
    assert [row.status for row in rows] == ["failed", "done", "failed", "done"]
    assert "nowhere.dcm" in rows[0].reason and "whole number" in rows[2].reason
    assert sorted(heard) == heard and heard[-1] == 1.0
    out = tmp_path / "out"
    assert {path.name for path in out.iterdir()} == {"results.csv", "results.json", "two views", "one"}
    result = json.loads((out / "two views" / "result.json").read_text(encoding="utf-8"))
    assert [view["frame"] for view in result["views"]] == [2, 1]
    assert rows[1].verdict == result["status"] and rows[1].reason == result["reason"]
    assert rows[1].views == 2 and rows[1].dice == min(view["dice"] for view in result["views"])
    assert (out / "two views" / "overlay_1.png").is_file() and (out / "two views" / "registration.mrb").is_file()
    summary = json.loads((out / "results.json").read_text(encoding="utf-8"))
    assert (summary["cases"], summary["done"], summary["failed"], summary["open"]) == (4, 2, 2, 0)
    assert [CaseRow.from_dict(row) for row in summary["rows"]] == rows
    with (out / "results.csv").open(encoding="utf-8", newline="") as file:
        lines = list(csv.DictReader(file))
    assert [line["verdict"] for line in lines] == ["", rows[1].verdict, "", rows[3].verdict]
    assert float(lines[1]["seconds"]) == rows[1].seconds
    for path in out.rglob("*"):
        if path.suffix in (".csv", ".json"):
            assert not any(word in path.read_text(encoding="utf-8") for word in ("Zebedee", "Quux", IDENTIFIER))


def test_an_interrupted_batch_goes_on_where_it_was(studies, solved, tmp_path):
    cases, out = cases_of(table(studies, ONE, TWO, MISSING)), tmp_path / "out"
    with pytest.raises(Cancelled, match="1 of 3"):
        run_batch(cases, out, should_stop=lambda: len(solved) == 1 and (out / "one").exists())
    assert json.loads((out / "results.json").read_text(encoding="utf-8"))["open"] == 2
    assert {path.name for path in out.iterdir()} == {"results.csv", "results.json", "one"}
    before = {path: path.stat().st_mtime_ns for path in (out / "one").iterdir()}
    rows = run_batch(cases, out, resume=True)
    assert solved == [1, 2]
    assert [row.status for row in rows] == ["done", "done", "failed"]
    assert {path: path.stat().st_mtime_ns for path in (out / "one").iterdir()} == before
    # Once more: only the failed one is tried, and works now that its file is there.
    shutil.copy(studies / "view_1.dcm", studies / "nowhere.dcm")
    try:
        again = run_batch([replace(case, request=replace(case.request, masks=(studies / "vessel_mask_1.png",)))
                           if case.name == "third" else case for case in cases], out, resume=True)
    finally:
        (studies / "nowhere.dcm").unlink()
    assert solved == [1, 2, 1]
    assert again[:2] == rows[:2] and again[2].status == "done"


def test_a_finished_case_is_kept_where_files_or_settings_have_changed(studies, solved, tmp_path):
    out = tmp_path / "out"
    run_batch(cases_of(table(studies, ONE)), out)
    before = (out / "one" / "result.json").read_bytes()
    [row] = run_batch(cases_of(table(studies, ONE.replace(",2,", ",1,"))), out, resume=True)
    assert row.status == "failed" and "other files or settings" in row.reason
    assert (out / "one" / "result.json").read_bytes() == before
    moved = tmp_path / "moved"
    shutil.copytree(studies, moved)
    [row] = run_batch(cases_of(table(moved, ONE)), out, resume=True)  # the same files at another place
    assert row.status == "done" and solved == [1]


def test_nothing_is_overwritten_unasked(studies, solved, tmp_path):
    cases, out = cases_of(table(studies, ONE)), tmp_path / "out"
    run_batch(cases, out)
    with pytest.raises(UserError, match="--resume"):
        run_batch(cases, out)
    other = tmp_path / "other"
    (other / "one").mkdir(parents=True)
    for resume in (False, True):
        with pytest.raises(UserError, match=r"not empty|no batch"):
            run_batch(cases, other, resume=resume)
    assert list((other / "one").iterdir()) == []
    shutil.rmtree(out / "one")
    (out / "one").mkdir()
    (out / "one" / "mine.txt").write_text("mine")
    [row] = run_batch(cases, out, resume=True)
    assert row.status == "failed" and "something else" in row.reason and solved == [1]


def test_a_bug_in_one_case_is_a_row_too(studies, solved, tmp_path, monkeypatch):
    def broken(task, progress, should_stop):
        raise ZeroDivisionError("oops")

    monkeypatch.setitem(methods.METHODS, "affine", broken)
    rows = run_batch(cases_of(table(studies, ONE + "affine", TWO)), tmp_path / "out")
    assert rows[0].status == "failed" and "ZeroDivisionError" in rows[0].reason
    assert rows[1].status == "done" and not (tmp_path / "out" / "one").exists()


# Where it runs


def comparable(out):
    """The rows and results of a batch without what the clock says."""
    rows = json.loads((out / "results.json").read_text(encoding="utf-8"))["rows"]
    results = {path.parent.name: json.loads(path.read_text(encoding="utf-8")) for path in out.glob("*/result.json")}
    for content in [*rows, *results.values()]:
        content.pop("seconds", None), content.pop("timings_s", None)
    return rows, results


def test_results_do_not_depend_on_the_number_of_workers(studies, tmp_path, true_pose, capsys):
    cases = table(studies, ONE, MISSING, TWO)
    assert main(["batch", "--cases", str(cases), "--out", str(tmp_path / "1")]) == 2
    printed = capsys.readouterr()
    assert "one: accepted: " in printed.out and "third: failed: " in printed.out
    assert printed.err.startswith("1 of 3 cases failed: ") and printed.err.count("\n") == 1
    rows, results = alone = comparable(tmp_path / "1")
    assert set(results) == {"one", "two views"}
    np.testing.assert_allclose(results["two views"]["model_to_world"], true_pose, atol=1.0)
    assert 0 < rows[0]["mrpd_low_mm"] <= rows[0]["mrpd_mm"] <= rows[0]["mrpd_high_mm"] < 2
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster:
        run_batch(cases_of(cases), tmp_path / "dask", scheduler=cluster.scheduler_address)
    assert comparable(tmp_path / "dask") == alone


def test_processes_that_die_are_one_sentence():
    assert sorted(spread(abs, [-1, 2, -3], workers=2)) == [1, 2, 3]
    with pytest.raises(UserError, match="fewer workers"):
        list(spread(os._exit, [1]))


def test_the_row_tells_what_the_result_tells():
    row = CaseRow.of_result("a", RegistrationResult("pose", "rejected", "Nothing there.", np.eye(4), (), found=False),
                            ("taken on trust",), 1.234)
    assert row == CaseRow("a", "done", "rejected", "Nothing there.", seconds=1.23, notes=("taken on trust",))
