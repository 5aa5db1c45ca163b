"""A benchmark run: baselines, processes, summary, report, command line."""

import json
import sys
from dataclasses import replace

import numpy as np
import pytest
from VesselRegistrationLib.benchmark import cases, report, summary, targets, workers
from VesselRegistrationLib.benchmark.anatomies import anatomy_sources, load_anatomy
from VesselRegistrationLib.benchmark.baselines import (
    BEST_AFFINE,
    ICP,
    BaselineOutcome,
    best_affine_outcome,
    icp_outcome,
)
from VesselRegistrationLib.benchmark.measures import PoseErrors, affine_errors, overlap_with_truth, pose_errors
from VesselRegistrationLib.benchmark.memory import peak_memory_mib
from VesselRegistrationLib.benchmark.outcome import CaseOutcome, SolverOutcome
from VesselRegistrationLib.benchmark.solving import solve_case
from VesselRegistrationLib.cli.main import main
from VesselRegistrationLib.errors import UserError
from VesselRegistrationLib.pose.evidence import ViewEvidence
from VesselRegistrationLib.pose.quality import PoseQuality
from VesselRegistrationLib.pose.solver import PoseEstimate, PoseModel
from VesselRegistrationLib.registration.result import Overlap

UPPER, LOWER = anatomy_sources([])[:2]


def spec_of(index=0, mask="1.00", views=1, start=(5.0, 10.0), source=UPPER):
    return cases.CaseSpec(index, 2, source, views, mask, start)


def solved_outcome(index, mrpd, mtre=1.0, mask="0.90", views=1, start=(5.0, 10.0), probability=0.99, status="accepted",
                   interval=(0.1, 1.0), true_score=2.0):
    """An outcome with given errors; its own score is 2.1."""
    estimate = PoseEstimate(np.eye(4), np.eye(6), np.eye(6), np.zeros(3), np.zeros((1, 3)),
                            PoseQuality(0.7, 0.7, 0.7, 500.0, 0.6, 0.8), 1.0, np.inf, 0.5)
    solver = SolverOutcome(PoseErrors(mtre, mrpd), 0.2, 0.4, Overlap(0.9, 0.91, 0.92), estimate, np.zeros(7),
                           true_score, 0.5, np.array([0.0, 1.0, 0.0]), probability, interval, status, "because")
    return CaseOutcome(spec_of(index, mask, views, start), "a", 0.9, PoseErrors(np.mean(start), 5.0), solver, "",
                       {ICP: BaselineOutcome(PoseErrors(9.0, 5.0), 0.1)})


def refused_outcome(index, mask="0.90", views=1):
    return CaseOutcome(spec_of(index, mask, views), "a", 0.9, PoseErrors(7.0, 5.0), None, "Nothing to see.", {})


# Measures and baselines


def test_errors_of_a_shift_across_and_along_the_beam():
    anatomy = load_anatomy(UPPER)
    geometry = cases.sample_geometry(anatomy, spec_of())
    view = geometry.views[0]
    across, along = np.eye(4), np.eye(4)
    across[:3, 3] = 3 * view.image_axes[0]
    along[:3, 3] = 3 * view.beam_direction
    found = pose_errors(anatomy.model, geometry, across @ geometry.truth)
    assert found.mtre_mm == pytest.approx(3.0)
    assert 2.85 < found.mrpd_mm <= 3.0
    found = pose_errors(anatomy.model, geometry, along @ geometry.truth)
    assert found.mtre_mm == pytest.approx(3.0)
    assert found.mrpd_mm < 0.45


def test_affine_error_is_that_of_the_pixels():
    """A wrong column of one pixel is one pixel, in mm at the patient."""
    anatomy = load_anatomy(UPPER)
    geometry = cases.sample_geometry(anatomy, spec_of())
    still = replace(geometry, start=geometry.truth)
    one_right = np.array([[1.0, 0.0, 1.0], [0.0, 1.0, 0.0]])
    assert affine_errors(anatomy.model, still, [np.eye(2, 3)]) == pytest.approx(0, abs=1e-6)
    assert affine_errors(anatomy.model, still, [one_right]) == pytest.approx(geometry.views[0].isocentre_spacing_mm,
                                                                             rel=0.15)


def test_best_affine_is_exact_without_motion_and_beats_any_other():
    case = cases.build_case(spec_of(start=(10.0, 20.0)))
    still = replace(case, geometry=replace(case.geometry, start=case.geometry.truth))
    assert best_affine_outcome(still).errors.mrpd_mm < 1e-6
    floor = best_affine_outcome(case).errors.mrpd_mm
    assert 0.1 < floor < pose_errors(case.anatomy.model, case.geometry, case.geometry.start).mrpd_mm
    assert affine_errors(case.anatomy.model, case.geometry, [np.eye(2, 3)]) > floor


def test_plain_icp_finds_a_near_pose_in_two_clean_views():
    case = cases.build_case(spec_of(views=2, start=(0.0, 5.0)))
    evidence = [ViewEvidence.from_mask(view, mask)
                for view, mask in zip(case.geometry.views, case.masks, strict=True)]
    outcome = icp_outcome(case, PoseModel(case.anatomy.model), evidence)
    assert outcome.errors.mrpd_mm < 1.0
    assert outcome.cpu_s > 0


def test_overlap_at_the_truth_is_full():
    case = cases.build_case(spec_of(mask="0.90"))
    found = overlap_with_truth(case, case.geometry.truth)
    assert (found.dice, found.precision, found.recall) == (1.0, 1.0, 1.0)


# Running


@pytest.fixture(scope="module")
def run_in_two():
    specs = [spec_of(0), spec_of(1, "0.90", 2, source=LOWER), spec_of(2, cases.WRONG)]
    return specs, workers.solve_everywhere(specs, (BEST_AFFINE,), workers=2)


def test_processes_do_not_change_results(run_in_two):
    specs, found = run_in_two
    assert [one.spec for one in found] == specs
    alone = solve_case(specs[1], (BEST_AFFINE,))
    np.testing.assert_allclose(found[1].solver.estimate.model_to_world, alone.solver.estimate.model_to_world, atol=1e-6)
    assert found[1].baselines[BEST_AFFINE].errors == alone.baselines[BEST_AFFINE].errors
    again = workers.solve_everywhere(specs[1:2], (BEST_AFFINE,), workers=1)
    np.testing.assert_array_equal(found[1].solver.estimate.model_to_world, again[0].solver.estimate.model_to_world)


def test_solved_cases_are_close_and_their_costs_counted(run_in_two):
    _, found = run_in_two
    for one in found[:2]:
        assert one.within_mrpd
        assert one.solver.overlap.dice > 0.97
        assert 0 < one.solver.search_cpu_s < one.solver.cpu_s < 5
    assert not found[2].within_mrpd
    assert found[2].solver.status != "accepted"


def test_missing_dask_and_missing_scheduler_are_one_sentence(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(UserError, match="Dask is not installed"):
        workers.solve_everywhere([spec_of()], (), 1, "tcp://127.0.0.1:1")


def test_dask_scheduler_gives_the_same(run_in_two):
    distributed = pytest.importorskip("distributed")
    specs, found = run_in_two
    with distributed.LocalCluster(n_workers=1, threads_per_worker=1, processes=False,
                                  dashboard_address=None) as cluster:
        other = workers.solve_everywhere(specs[:1], (BEST_AFFINE,), 1, cluster.scheduler_address)
    np.testing.assert_allclose(other[0].solver.estimate.model_to_world, found[0].solver.estimate.model_to_world,
                               atol=1e-6)


def test_memory_is_that_of_the_child_alone():
    hog = np.ones(60_000_000)  # 480 MB here must not count there
    memory = peak_memory_mib(spec_of(mask="0.90", views=2))
    assert hog[0]
    assert memory is None or 40 < memory < 400


# Summary


def test_accuracy_counts_refused_cases_as_failures():
    outcomes = [*[solved_outcome(number, 0.5) for number in range(8)], solved_outcome(8, 3.0), refused_outcome(9)]
    row = next(row for row in summary.accuracy_rows(outcomes, near=True) if row["method"] == summary.SOLVER)
    assert row["cases"] == 10
    assert row["success_mrpd"] == pytest.approx(0.8)
    assert row["mrpd_mm"] == {"p50": 0.5, "p90": None, "p95": None} or row["mrpd_mm"]["p90"] == 3.0
    other = next(row for row in summary.accuracy_rows(outcomes, near=True) if row["method"] == ICP)
    assert (other["cases"], other["success_mrpd"]) == (9, 0.0)


def test_capture_range_ends_before_the_first_stratum_that_fails():
    outcomes = []
    for start, wrong in zip(cases.START_STRATA_MM, (0, 0, 0, 2, 0), strict=True):
        outcomes += [solved_outcome(len(outcomes) + number, 9.0 if number < wrong else 0.3, start=start)
                     for number in range(20)]
    row = next(row for row in summary.capture_rows(outcomes) if row["views"] == 1 and row["mask"] == "0.90")
    assert row["success"] == [1.0, 1.0, 1.0, 0.9, 1.0]
    assert row["capture_range_mm"] == 20.0


def test_two_views_are_judged_by_mtre():
    outcome = solved_outcome(0, mrpd=0.5, mtre=2.5, views=2)
    assert not summary.succeeded(outcome)
    assert summary.succeeded(replace(outcome, spec=replace(outcome.spec, view_count=1)))


def test_failures_name_seed_and_say_who_is_to_blame():
    outcomes = [solved_outcome(0, 0.1), solved_outcome(1, 5.0, true_score=2.0), solved_outcome(2, 5.0, true_score=2.5),
                refused_outcome(3), solved_outcome(4, 5.0, mask=cases.STRESS)]
    rows = summary.failure_rows(outcomes)
    assert [row["case"] for row in rows] == [1, 2, 3]
    assert [row["why"] for row in rows] == ["the mask misleads", "the search missed it", "Nothing to see."]
    assert {row["seed"] for row in rows} == {2}


def test_judgement_counts_what_was_accepted_wrongly():
    outcomes = [*[solved_outcome(number, 0.5) for number in range(99)], solved_outcome(99, 4.0),
                solved_outcome(100, 4.0, probability=0.2, status="rejected", interval=(1.0, 9.0)),
                solved_outcome(101, 0.2, mask=cases.WRONG, probability=0.1, status="rejected")]
    judged = summary.judgement(outcomes)
    assert judged["failures"] == 3
    assert judged["accepted_but_wrong"] == 1
    assert judged["accepted_within_2mm"] == pytest.approx(0.99)
    assert judged["auroc"] == pytest.approx(1 - 0.5 / 3)  # one of three failures scored like a success
    assert judged["interval_coverage"] == pytest.approx(100 / 101)


# Report


def test_report_is_json_and_markdown_with_every_target_and_failure():
    outcomes = [solved_outcome(0, 0.4), solved_outcome(1, 3.0, start=(10.0, 20.0)), refused_outcome(2),
                solved_outcome(3, 0.2, mtre=0.3, views=2), solved_outcome(4, 0.2, mask="0.75-0.80")]
    content = report.report_as_dict(outcomes, report.RunFacts("vessel-registration benchmark pose", 2, 10.0, 2, 140.0,
                                                              ("a thing. It is missing.",)))
    text = report.report_as_markdown(json.loads(json.dumps(content, allow_nan=False)))
    for line in content["targets"]:
        assert line["what"] in text
    assert "Not run: a thing. It is missing." in text
    assert "## Failures (2)" in text
    assert "refused" in text
    by_name = {line["what"]: line for line in content["targets"]}
    assert by_name["2 views, mask Dice 0.90: mTRE median"]["reached"] is True
    assert by_name["1 view, mask Dice 0.75-0.80, start <= 20 mm: mRPD < 2 mm"]["value"] == 1.0
    assert by_name["2 views, masks of our network: mTRE < 2 mm"]["reached"] is None
    assert by_name["capture range, 1 view, mask Dice 0.90"]["reached"] is False


def test_targets_are_missed_where_values_are_bad():
    outcomes = [solved_outcome(number, 3.0, mtre=30.0, views=views, mask=mask)
                for number, (views, mask) in enumerate([(1, "1.00"), (1, "0.75-0.80"), (2, "0.90"), (2, "0.75-0.80")])]
    lines = targets.targets(outcomes, summary.judgement(outcomes), summary.capture_rows(outcomes),
                            summary.overlap_rows(outcomes), summary.time_rows(outcomes), 300.0)
    reached = {line.what: line.reached for line in lines}
    assert not any(reached[name] for name in reached if "mRPD" in name or "mTRE" in name or "memory" in name)


def test_command_line_prints_and_writes_everything(tmp_path, capsys):
    out = tmp_path / "report"
    assert main(["benchmark", "pose", "--cases", "2", "--seed", "3", "--workers", "2", "--out", str(out)]) == 0
    printed = capsys.readouterr().out
    assert "## Targets" in printed
    assert sorted(path.name for path in out.iterdir()) == ["report.json", "report.md", "report.png"]
    content = json.loads((out / "report.json").read_text())
    assert content["command"].startswith("vessel-registration benchmark pose --cases 2 --seed 3")
    assert len(content["results"]) == content["cases"] >= 2
    assert (out / "report.png").read_bytes()[:4] == b"\x89PNG"
    assert main(["benchmark", "pose", "--cases", "2", "--out", str(out)]) == 2
    assert "not empty" in capsys.readouterr().err


def test_command_line_refuses_a_bad_mesh_before_any_work(tmp_path, capsys):
    assert main(["benchmark", "pose", "--cases", "1", "--model", str(tmp_path / "absent.stl")]) == 2
    error = capsys.readouterr().err
    assert "absent.stl" in error
    assert error.count("\n") == 1
