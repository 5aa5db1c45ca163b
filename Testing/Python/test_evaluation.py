"""The evaluation over simulated cases: its cases, its scores, its report."""

import json
from dataclasses import replace

import numpy as np
import pytest
from VesselRegistrationLib.cli.main import main
from VesselRegistrationLib.evaluation.cases import CaseOutcome, evaluate_cases, simulated_case
from VesselRegistrationLib.evaluation.report import peak_memory_mb, report_as_markdown, success_rate
from VesselRegistrationLib.registration import methods
from VesselRegistrationLib.registration.result import Overlap
from VesselRegistrationLib.registration.task import PoseAnswer
from VesselRegistrationLib.training.samples import HELD_OUT_SEED, SEEDS_PER_TRAINING


def outcome(case=0, views=1, status="accepted", mrpd=1.0, mtre=5.0, dice=0.8):
    overlap = Overlap(dice, 0.7, 0.9)
    return CaseOutcome(case, views, status, overlap, overlap, overlap, mtre, mrpd, 20.0, 10.0,
                       {"segmentation": 0.1, "matching": 1.0, "measures": 0.01})


@pytest.fixture(scope="module")
def case():
    return simulated_case("upper", 3)


def test_cases_repeat_and_are_no_training_cases(case):
    again = simulated_case("upper", 3)
    np.testing.assert_array_equal(case.frames[1].attenuation, again.frames[1].attenuation)
    np.testing.assert_array_equal(case.model_to_world, again.model_to_world)
    assert 100 * SEEDS_PER_TRAINING < case.anatomy.seed < HELD_OUT_SEED


def test_both_views_show_contrast_at_least_35_degrees_apart(case):
    beams = [frame.view().beam_direction for frame in case.frames]
    assert abs(beams[0] @ beams[1]) <= np.cos(np.radians(34.9))
    for truth in case.truths:
        assert truth.vessel_mask.mean() > 0.01


def test_the_true_pose_scores_no_error_and_full_overlap(monkeypatch):
    pose = simulated_case("upper", 3).model_to_world
    monkeypatch.setitem(methods.METHODS, "pose", lambda task, progress, should_stop: PoseAnswer(pose))
    single, double = evaluate_cases("upper", 1, 3, true_masks=True)
    assert (single.view_count, double.view_count) == (1, 2)
    for found in (single, double):
        assert found.mtre < 1e-9 and found.mrpd < 1e-6
        assert found.true_overlap.dice > 0.995
        assert found.segmentation == Overlap(1.0, 1.0, 1.0)
        assert found.start_mtre > found.start_mrpd > 0.5


def test_report_counts_per_number_of_views():
    outcomes = [outcome(k, 1, "check", mrpd=float(k)) for k in range(4)]
    outcomes += [outcome(k, 2, "accepted" if k else "rejected", mrpd=0.5) for k in range(4)]
    text = report_as_markdown(outcomes, "the command")
    rows = {cells[1].strip(): [cell.strip() for cell in cells[2:4]]
            for cells in (line.split("|") for line in text.splitlines()) if len(cells) == 5}
    assert "`the command`" in text
    assert rows["4 cases"] == ["1 view", "2 views"]
    assert rows["success (mRPD < 2 mm)"] == ["50%", "100%"]
    assert rows["mRPD, p50 / p90 / p95"] == ["1.50 / 2.70 / 2.85", "0.50 / 0.50 / 0.50"]
    assert rows["accepted (of these mRPD < 2 mm)"] == ["0", "3 (100%)"]
    assert rows["check (of these mRPD < 2 mm)"] == ["4 (50%)", "0"]
    assert rows["mask against true vessel mask: Dice / precision / recall, medians"] == ["0.80 / 0.70 / 0.90"] * 2


def test_success_is_an_in_plane_error_below_2_mm():
    good, bad = outcome(mrpd=1.99, mtre=50.0), outcome(mrpd=2.0)
    assert success_rate([good, bad, replace(good, status="rejected"), bad]) == 0.5


def test_peak_memory_is_plausible():
    memory = peak_memory_mb()
    assert memory is None or 30 < memory < 100_000


def test_command_writes_table_and_cases(tmp_path, capsys):
    assert main(["evaluate", "registration", "--field-of-view", "lower", "--cases", "1", "--seed", "2", "--true-masks",
                 "--out", str(tmp_path / "out")]) == 0
    printed = capsys.readouterr().out
    assert (tmp_path / "out" / "report.md").read_text(encoding="utf-8").strip() == printed.strip()
    report = json.loads((tmp_path / "out" / "report.json").read_text(encoding="utf-8"))
    assert [entry["view_count"] for entry in report["cases"]] == [1, 2]
    assert report["command"].endswith("--field-of-view lower --cases 1 --seed 2 --method pose --true-masks")
    assert report["command"] in printed
