"""Expected errors of second views against errors that registrations in these views really have."""

from dataclasses import replace

import numpy as np
import pytest
from pose_cases import centred, errors_mm, machine, moved_pose, pose_model, spoilt, true_mask, view_of
from VesselRegistrationLib.errors import Cancelled, UserError
from VesselRegistrationLib.pose.advise import ExpectedError, GantryLimits, advise_view
from VesselRegistrationLib.pose.evidence import ViewEvidence
from VesselRegistrationLib.pose.solver import solve_pose

FIRST = machine(-20, 5, 370, size=256)


def measured_mm(second: tuple[float, float], cases: int = 4) -> float:
    """Mean mTRE of registrations to spoilt masks of the first view and a second one."""
    machines = [FIRST, machine(*second, 370, size=256)]
    errors = []
    for case in range(cases):
        rng = np.random.default_rng(case)
        truth = moved_pose("lower", tuple(rng.uniform(-4, 4, 3)), tuple(rng.uniform(-8, 8, 3)))
        masks = [spoilt(true_mask(rays, "lower", truth), 10 * case + number, 0.88)
                 for number, rays in enumerate(machines)]
        evidence = [ViewEvidence.from_mask(view_of(rays), mask) for rays, mask in zip(machines, masks, strict=True)]
        pose = solve_pose(pose_model("lower"), evidence, truth, search=False).model_to_world
        errors.append(errors_mm("lower", pose, truth, machines)[0])
    return float(np.mean(errors))


def expected(second: tuple[float, float]) -> ExpectedError:
    primary, secondary = second
    limits = GantryLimits((primary, primary), (secondary, secondary))
    return advise_view(pose_model("lower"), view_of(FIRST), centred("lower"), limits).candidates[0]


def test_expected_errors_are_those_that_registrations_have() -> None:
    views = [(-12.0, 5.0), (5.0, 5.0), (60.0, 0.0)]
    told, had = [expected(view).mtre_mm for view in views], [measured_mm(view) for view in views]
    assert told == sorted(told, reverse=True)
    assert had == sorted(had, reverse=True)
    for guess, truth in zip(told, had, strict=True):
        assert 0.5 < guess / truth < 2.0


def test_the_best_view_shrinks_the_error_of_one_view_alone() -> None:
    heard: list[float] = []
    advice = advise_view(pose_model("lower"), view_of(FIRST), centred("lower"),
                         progress=lambda share, _: heard.append(share))
    errors = [one.mtre_mm for one in advice.candidates]
    assert errors == sorted(errors)
    assert len(errors) == 13 * 7
    best = advice.recommended
    assert best is not None
    assert errors[0] <= best.mtre_mm <= 1.1 * errors[0]
    assert best.mtre_mm < 0.4 * advice.first.mtre_mm
    assert best.depth_sd_mm < 0.2 * advice.first.depth_sd_mm
    assert best.mtre_p95_mm > best.mtre_mm
    angle = np.degrees(np.arccos(abs(best.view.beam_direction @ view_of(FIRST).beam_direction)))
    assert angle > 30
    assert advice.sentence == (f"{best.view.clinical_angles} shrinks the expected error from "
                               f"{advice.first.mtre_mm:.1f} mm to {best.mtre_mm:.1f} mm.")
    assert heard == sorted(heard)
    # The same picture again is among the worst.
    again = min(advice.candidates, key=lambda one: abs(one.view.primary_angle_deg + 20)
                + abs(one.view.secondary_angle_deg))
    assert again.mtre_mm > 2 * best.mtre_mm


def test_where_no_view_helps_it_says_so() -> None:
    limits = GantryLimits((-21, -20), (5, 6))
    advice = advise_view(pose_model("lower"), view_of(FIRST), centred("lower"), limits)
    assert advice.recommended is None
    assert "No second view within the limits" in advice.sentence


def test_candidates_keep_distances_detector_and_table() -> None:
    first = replace(view_of(FIRST), table_shift_mm=(3.0, 2.0, 1.0))
    advice = advise_view(pose_model("lower"), first, centred("lower"), GantryLimits((30, 30), (-10, -10)))
    assert advice.candidates[0].view == replace(first, primary_angle_deg=30.0, secondary_angle_deg=-10.0)


def test_grid_stays_within_the_limits() -> None:
    assert GantryLimits((-25, 31), (0, 0), 10).angles() == [(-20, 0), (-10, 0), (0, 0), (10, 0), (20, 0), (30, 0)]
    assert GantryLimits((12, 14), (3, 3), 10).angles() == [(13, 3)]
    for wrong in (((40, 20), (0, 0), 10), ((0, 200), (0, 0), 10), ((0, 20), (-91, 0), 10), ((0, 20), (0, 0), 0)):
        with pytest.raises(UserError):
            GantryLimits(*wrong)


def test_a_model_beside_the_image_is_refused_and_it_can_be_stopped() -> None:
    away = centred("lower")
    away[0, 3] += 2000
    with pytest.raises(UserError, match="does not show"):
        advise_view(pose_model("lower"), view_of(FIRST), away)
    with pytest.raises(Cancelled):
        advise_view(pose_model("lower"), view_of(FIRST), centred("lower"), should_stop=lambda: True)
