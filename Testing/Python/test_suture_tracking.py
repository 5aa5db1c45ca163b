"""Identities through motion, misses, false points and occlusions."""

import numpy as np
import pytest
from SutureDetectionLib.detection.points import SuturePoints
from SutureDetectionLib.evaluation.identity import IdentifiedPoints, identity_f1
from SutureDetectionLib.tracking.motion import estimate_motion, find_motion, moved_by
from SutureDetectionLib.tracking.tracker import SutureTracker


def points_of(positions: np.ndarray, confidence: float = 0.9) -> SuturePoints:
    count = len(positions)
    return SuturePoints(np.asarray(positions, float), np.full(count, confidence), np.zeros(count, int),
                        np.full(count, -1))


def annulus() -> np.ndarray:
    angle = np.linspace(0, 2 * np.pi, 24, endpoint=False) + np.random.default_rng(8).uniform(-0.09, 0.09, 24)
    radius = np.where(np.arange(24) % 2 == 0, 1.0, 1.08)
    return np.column_stack([256 + 130 * radius * np.cos(angle), 144 + 95 * radius * np.sin(angle)])


def moving_scene(frames: int, seed: int, covered_from: int, covered_for: int, sector: tuple[float, float]):
    """True points per frame as seen by a drifting, turning, zooming camera, and what a detector would give."""
    rng = np.random.default_rng(seed)
    base = annulus()
    truth, found = [], []
    angle_of = np.degrees(np.arctan2(*(base - [256, 144]).T[::-1])) % 360
    for frame in range(frames):
        turn, zoom = 0.10 * np.sin(frame / 23), 1 + 0.06 * np.sin(frame / 31)
        matrix = zoom * np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
        places = (base - [256, 144]) @ matrix.T + [256 + 25 * np.sin(frame / 17), 144 + 12 * np.cos(frame / 13)]
        covered = np.zeros(len(base), bool)
        if covered_from <= frame < covered_from + covered_for:
            covered = (angle_of >= sector[0]) & (angle_of < sector[1])
        seen = np.flatnonzero(~covered)
        truth.append(IdentifiedPoints(places[seen], seen))
        caught = seen[rng.random(len(seen)) > 0.08]
        false = rng.uniform([0, 0], [512, 288], (rng.poisson(0.7), 2))
        found.append(points_of(np.concatenate([places[caught] + rng.normal(0, 0.6, (len(caught), 2)), false])))
    return found, truth


@pytest.mark.parametrize(("sector", "seed"), [((0, 120), 0), ((90, 270), 1), ((0, 360), 2)])
def test_identities_survive_an_occlusion_of_a_second(sector: tuple[float, float], seed: int) -> None:
    found, truth = moving_scene(100, seed, 35, 25, sector)
    tracker = SutureTracker(512, 0.5)
    tracked = [IdentifiedPoints(points.positions, numbers) for points, numbers in map(tracker.update, found)]
    assert identity_f1(tracked, truth, 6.0) > 0.9
    before, after = dict.fromkeys(range(24)), dict.fromkeys(range(24))
    for moment, numbers in ((34, before), (75, after)):
        for position, number in zip(truth[moment].positions, truth[moment].identities, strict=True):
            distance = np.linalg.norm(tracked[moment].positions - position, axis=1)
            numbers[number] = tracked[moment].identities[distance.argmin()] if distance.min() < 6 else None
    kept = [before[number] == after[number] for number in range(24) if None not in (before[number], after[number])]
    assert np.mean(kept) > 0.85


def test_weak_points_continue_tracks_but_begin_none() -> None:
    tracker = SutureTracker(512, 0.6)
    strong = points_of([[100.0, 100.0], [200.0, 100.0], [300.0, 150.0]])
    first = tracker.update(strong)[1]
    weak, numbers = tracker.update(points_of([[101.0, 100.0], [201.0, 100.0], [400.0, 50.0]], 0.4))
    assert len(weak) == 2 and list(numbers) == list(first[:2])
    nothing, none = tracker.update(points_of(np.zeros((0, 2))))
    assert len(nothing) == len(none) == 0
    assert set(tracker.update(strong)[1]) >= set(first[:2])


def test_motion_is_found_in_spite_of_wrong_pairs() -> None:
    rng = np.random.default_rng(0)
    before = rng.uniform(0, 500, (20, 2))
    truth = np.array([[1.02, -0.05, 7.0], [0.04, 0.98, -3.0]])
    after = moved_by(truth, before)
    after[:4] += rng.uniform(20, 60, (4, 2))
    np.testing.assert_allclose(moved_by(estimate_motion(before, after), before[4:]), after[4:], atol=1.0)
    np.testing.assert_allclose(estimate_motion(before[:1], before[:1] + 5), [[1, 0, 5], [0, 1, 5]])
    np.testing.assert_allclose(estimate_motion(before[:0], before[:0]), np.eye(2, 3))
    motion, hits = find_motion(before[:10], np.concatenate([before[2:10] + np.array([30, -20]), before[10:12]]), 60, 3)
    np.testing.assert_allclose(motion, [[1, 0, 30], [0, 1, -20]])
    assert hits == 8


def test_identity_f1_counts_switches() -> None:
    places = np.array([[10.0, 10.0], [50.0, 10.0]])
    truth = [IdentifiedPoints(places, np.array([0, 1]))] * 10
    right = [IdentifiedPoints(places, np.array([7, 3]))] * 10
    assert identity_f1(right, truth, 6) == 1.0
    switched = right[:5] + [IdentifiedPoints(places, np.array([3, 7]))] * 5
    assert identity_f1(switched, truth, 6) == 0.5
    missed = [IdentifiedPoints(places[:1], np.array([7]))] * 10
    assert identity_f1(missed, truth, 6) == pytest.approx(2 / 3)
