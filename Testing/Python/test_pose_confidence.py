"""Confidence of a pose: covariance, probability, interval, verdict, refusals; and the fit of the calibration."""

import json
from dataclasses import replace

import numpy as np
import pytest
from pose_cases import centred, errors_mm, machine, moved_pose, pose_model, spoilt, true_mask, view_of
from VesselRegistrationLib.benchmark.calibration import CalibrationData, auroc, fit_calibration
from VesselRegistrationLib.errors import UserError
from VesselRegistrationLib.pose import confidence
from VesselRegistrationLib.pose.confidence import FEATURES, Calibration, assess, in_plane_sd_mm, pose_features
from VesselRegistrationLib.pose.evidence import ViewEvidence
from VesselRegistrationLib.pose.refusal import refusal
from VesselRegistrationLib.pose.rigid import move_points, rigid_motion
from VesselRegistrationLib.pose.solver import solve_pose

TRUTH = moved_pose("lower", (5.0, -4.0, 3.0), (8.0, -6.0, 9.0))
FRONT, OBLIQUE = machine(5.0, 3.0, 350.0), machine(-40.0, 10.0, 350.0)


def evidence_of(*masks, machines=(FRONT, OBLIQUE)):
    return [ViewEvidence.from_mask(view_of(rays), mask) for rays, mask in zip(machines, masks, strict=False)]


@pytest.fixture(scope="module")
def clean():
    masks = [true_mask(rays, "lower", TRUTH) for rays in (FRONT, OBLIQUE)]
    one, two = evidence_of(masks[0]), evidence_of(*masks)
    model = pose_model("lower")
    return (one, solve_pose(model, one, centred("lower"))), (two, solve_pose(model, two, centred("lower")))


@pytest.fixture(scope="module")
def poor():
    """A mask of which little is left."""
    evidence = evidence_of(spoilt(true_mask(FRONT, "lower", TRUTH), 4, 0.45))
    return evidence, solve_pose(pose_model("lower"), evidence, centred("lower"))


# Judgement


def test_clean_masks_are_accepted_and_a_small_error_predicted(clean):
    for evidence, estimate in clean:
        judged = assess(estimate, evidence)
        assert judged.status == "accepted"
        assert judged.probability_within_2mm > 0.99
        low, high = judged.mrpd_interval_mm
        assert 0 <= low < high < 0.6
        _, mrpd = errors_mm("lower", estimate.model_to_world, TRUTH, [FRONT, OBLIQUE][:len(evidence)])
        assert mrpd < 0.3


def test_one_view_marks_depth_as_not_observable(clean):
    (one, from_one), (two, from_two) = clean
    alone, both = assess(from_one, one), assess(from_two, two)
    assert not alone.depth_observable
    assert both.depth_observable
    assert alone.depth_sd_mm > 2 * both.depth_sd_mm
    beam = one[0].view.beam_direction
    for judged in (alone, both):
        assert np.linalg.eigvalsh(judged.covariance).min() > 0
        assert judged.depth_sd_mm == pytest.approx(np.sqrt(beam @ judged.covariance[3:, 3:] @ beam))
    assert "depth" in alone.notes[0]
    assert both.notes == ()


def test_two_views_from_one_direction_are_said_to_gain_no_depth(clean):
    (one, _), _ = clean
    twice = [one[0], one[0]]
    judged = assess(solve_pose(pose_model("lower"), twice, centred("lower")), twice)
    assert not judged.depth_observable
    assert "0.0 deg apart" in judged.notes[0]
    assert "no depth is gained" in judged.notes[0]


def test_poor_mask_is_less_certain_than_a_clean_one(clean, poor):
    (one, from_one), _ = clean
    good, bad = assess(from_one, one), assess(poor[1], poor[0])
    assert bad.probability_within_2mm < good.probability_within_2mm
    assert bad.mrpd_interval_mm[1] > 2 * good.mrpd_interval_mm[1]
    assert np.trace(bad.covariance) > np.trace(good.covariance)


def test_mask_of_another_vessel_is_not_accepted_and_the_reason_is_in_words():
    mask = true_mask(FRONT, "upper", moved_pose("upper", (0, 0, 0), (0, 0, 0)))
    evidence = evidence_of(mask)
    judged = assess(solve_pose(pose_model("lower"), evidence, centred("lower")), evidence)
    assert judged.status == "rejected"
    assert judged.probability_within_2mm < 0.5
    assert judged.reason.endswith(".")
    assert "%" in judged.reason or "mm away" in judged.reason


def test_pose_outside_the_picture_is_rejected(clean):
    (one, estimate), _ = clean
    away = replace(estimate, points=estimate.points + 600 * one[0].view.image_axes[0])
    judged = assess(away, one)
    assert (judged.status, judged.probability_within_2mm) == ("rejected", 0.0)
    assert "outside the field of view" in judged.reason


def test_near_rival_is_named_where_the_pose_is_not_accepted(poor):
    evidence, estimate = poor
    strict = replace(confidence.shipped_calibration(), accepted_from=1.1, rejected_below=0.0)
    judged = assess(replace(estimate, rival_gap=0.02, rival_distance_mm=14.2), evidence, strict)
    assert judged.status == "check"
    assert "another pose 14 mm away explains the mask nearly as well" in judged.reason
    judged = assess(replace(estimate, rival_gap=1.0), evidence, replace(strict, rejected_below=1.1))
    assert judged.status == "rejected"
    assert "another pose" not in judged.reason


def test_in_plane_deviation_is_that_of_sampled_poses(clean):
    """Poses drawn from the covariance, projected, and measured in pixels."""
    _, (evidence, estimate) = clean
    covariance = np.linalg.inv(estimate.information + estimate.prior_information)
    rng = np.random.default_rng(0)
    squares = []
    for one in evidence:
        before, _ = one.view.project(estimate.points)
        inside = ((before > -0.5) & (before < 511.5)).all(axis=1)
        for twist in rng.multivariate_normal(np.zeros(6), covariance, 400):
            moved = move_points(rigid_motion(twist, estimate.centre), estimate.points[inside])
            after, depth = one.view.project(moved)
            off = (after - before[inside]) * one.view.row_spacing_mm * (depth / one.view.sid_mm)[:, None]
            squares.append((off**2).sum(axis=1).mean())
    assert in_plane_sd_mm(estimate, evidence) == pytest.approx(np.sqrt(np.mean(squares)), rel=0.1)


# Refusals


def test_too_little_vessel_is_refused_and_the_view_named(clean):
    (one, _), (two, _) = clean
    model, start = pose_model("lower"), centred("lower")
    assert refusal(model, one, start) is None
    empty = np.zeros((512, 512), bool)
    sentence = refusal(model, evidence_of(two[0].mask, empty), start)
    assert "view 1" in sentence
    assert "0 mm" in sentence
    speck = empty.copy()
    speck[250:270, 250:270] = True
    assert "too little" in refusal(model, evidence_of(speck), start)


def test_mask_without_an_edge_inside_the_image_is_refused():
    full = np.ones((512, 512), bool)
    assert "vessel edge" in refusal(pose_model("lower"), evidence_of(full), centred("lower"))


def test_edge_of_a_shutter_is_no_vessel_edge():
    full, usable = np.ones((512, 512), bool), np.zeros((512, 512), bool)
    usable[100:400, 100:400] = True
    evidence = [ViewEvidence.from_mask(view_of(FRONT), full, usable)]
    assert "too little" in refusal(pose_model("lower"), evidence, centred("lower"))


def test_model_far_outside_the_field_of_view_is_refused(clean):
    (one, _), _ = clean
    start = centred("lower")
    start[:3, 3] += 900 * one[0].view.image_axes[1]
    assert "outside the field of view of view 0" in refusal(pose_model("lower"), one, start)


# Calibration


def made_up(count, seed):
    """Cases whose success and error follow known laws of the features."""
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(count, len(FEATURES)))
    odds = 1.0 + 2.0 * features[:, 0]
    within = rng.random(count) < 1 / (1 + np.exp(-odds))
    size = np.exp(-0.5 - 0.4 * features[:, 0] + 0.3 * rng.normal(size=count))
    errors = np.where(within, np.minimum(size, 1.99), 2.0 + size)
    return CalibrationData(features, errors, rng.integers(0, 16, count))


def test_fit_recovers_the_law_and_its_probabilities_are_true():
    content = fit_calibration(made_up(3000, 1))
    known, fresh = Calibration.from_json(content), made_up(4000, 2)
    probability = np.array([1 / (1 + np.exp(-known.log_odds(row))) for row in fresh.features])
    slope = known.logistic[1:] / known.scale
    assert slope[0] == pytest.approx(2.0, rel=0.15)
    assert np.abs(slope[1:]).max() < 0.2
    for low, high in ((0.1, 0.3), (0.3, 0.6), (0.6, 0.9), (0.9, 1.0)):
        chosen = (probability >= low) & (probability < high)
        assert fresh.success[chosen].mean() == pytest.approx(probability[chosen].mean(), abs=0.06)
    quantiles = np.array([known.error_quantiles_mm(row) for row in fresh.features])
    covered = (quantiles[:, 0] <= fresh.mrpd_mm) & (fresh.mrpd_mm <= quantiles[:, 2])
    assert 0.87 < covered.mean() < 0.93
    assert (fresh.mrpd_mm < quantiles[:, 1]).mean() == pytest.approx(0.5, abs=0.05)


def test_acceptance_keeps_wrong_poses_below_one_in_a_hundred():
    content = fit_calibration(made_up(3000, 3))
    known, fresh = Calibration.from_json(content), made_up(6000, 4)
    probability = np.array([1 / (1 + np.exp(-known.log_odds(row))) for row in fresh.features])
    accepted = probability >= known.accepted_from
    assert accepted.any()
    assert fresh.success[accepted].mean() > 0.98
    assert content["failures"] > 0
    assert content["cases"] == 3000


def test_auroc_counts_pairs():
    score, label = np.array([0.1, 0.4, 0.4, 0.8, 0.9]), np.array([False, False, True, True, True])
    pairs = [(a > b) + 0.5 * (a == b) for a in score[label] for b in score[~label]]
    assert auroc(score, label) == pytest.approx(np.mean(pairs))
    assert np.isnan(auroc(score, np.ones(5, bool)))


def test_shipped_calibration_belongs_to_these_features_and_says_where_it_is_from(clean):
    content = json.loads(confidence.calibration_file().read_text())
    assert content["command"].startswith("vessel-registration benchmark pose --calibrate")
    assert content["cases"] >= 900
    assert content["cross_validated"]["auroc"] >= 0.95
    known = confidence.shipped_calibration()
    (evidence, estimate), _ = clean
    assert pose_features(estimate, evidence).shape == known.mean.shape == (len(FEATURES),)


@pytest.mark.parametrize("content", [None, "{", "{}", '{"features": ["other"]}'])
def test_missing_or_damaged_calibration_is_one_sentence(content, tmp_path, monkeypatch):
    path = tmp_path / "pose_confidence.json"
    if content is not None:
        path.write_text(content)
    monkeypatch.setattr(confidence, "calibration_file", lambda: path)
    confidence.shipped_calibration.cache_clear()
    try:
        with pytest.raises(UserError, match=r"pose_confidence\.json is missing or damaged"):
            confidence.shipped_calibration()
    finally:
        monkeypatch.undo()
        confidence.shipped_calibration.cache_clear()
