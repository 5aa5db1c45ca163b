"""From maps to points: peaks, clusters, pairs; and scores."""

import numpy as np
import pytest
from SutureDetectionLib.detection.clusters import cluster_centres
from SutureDetectionLib.detection.pairing import pair_stitches
from SutureDetectionLib.detection.peaks import heat_map_peaks, local_maxima
from SutureDetectionLib.detection.points import SuturePoints
from SutureDetectionLib.detection.readout import StitchArrays, read_stitches
from SutureDetectionLib.evaluation.scoring import (
    ScoredImage,
    Tally,
    close_labels,
    match_points,
    root_mean_square_error,
    score_images,
)
from SutureDetectionLib.networks.targets import Distribution, heat_map, stitch_targets


def stitched_annulus(seed: int, gap: float) -> np.ndarray:
    """Points in pairs of ``gap`` px around an ellipse."""
    rng = np.random.default_rng(seed)
    angle = np.sort(rng.uniform(0, 2 * np.pi, 40))
    angle = angle[np.diff(angle, append=angle[0] + 2 * np.pi) > 0.14]
    middle = np.column_stack([256 + 150 * np.cos(angle), 144 + 100 * np.sin(angle)])
    across = rng.uniform(0, 2 * np.pi, len(angle))
    half = gap / 2 * np.column_stack([np.cos(across), np.sin(across)])
    return np.concatenate([middle - half, middle + half])


@pytest.mark.parametrize("sigma", [2.0, 3.0])
def test_peaks_keep_close_stitches_apart_where_clusters_merge_them(sigma: float) -> None:
    truth = [stitched_annulus(seed, 1.8 * sigma) for seed in range(4)]
    peaks, clusters = [], []
    for points in truth:
        heat = heat_map(points, (288, 512), Distribution("gauss", sigma))
        peaks.append(ScoredImage(heat_map_peaks(heat)[0], points))
        clusters.append(ScoredImage(cluster_centres(heat)[0], points))
    by_peaks, by_clusters = score_images(peaks), score_images(clusters)
    assert by_peaks.tally.f1 > 0.97
    assert by_clusters.tally.f1 < 0.8
    assert by_peaks.median_px < 0.1


def test_a_lone_gaussian_is_found_to_a_thousandth_of_a_pixel() -> None:
    points = np.array([[100.37, 50.81], [200.5, 80.0], [300.0, 120.49]])
    found, heights = heat_map_peaks(heat_map(points, (288, 512), Distribution("gauss", 2.0)))
    found = found[np.argsort(found[:, 0])]
    np.testing.assert_allclose(found, points, atol=1e-3)
    assert np.all((heights > 0.8) & (heights <= 1.0))


def test_plateaus_give_one_peak_and_borders_are_searched() -> None:
    heat = np.zeros((5, 6))
    heat[1, 1:3] = 0.8
    heat[4, 5] = 0.9
    assert list(zip(*local_maxima(heat, 0.5), strict=True)) == [(1, 1), (4, 5)]
    assert len(heat_map_peaks(heat)[0]) == 2
    assert len(cluster_centres(np.zeros((5, 6)))[0]) == 0


def test_clusters_give_centre_of_mass_and_largest_value() -> None:
    heat = np.zeros((10, 10))
    heat[2, 3:6] = 0.6, 0.8, 1.0
    centres, heights = cluster_centres(heat)
    np.testing.assert_allclose(centres, [[(3 * 0.6 + 4 * 0.8 + 5 * 1.0) / 2.4, 2.0]])
    assert heights[0] == 1.0


def test_stitches_are_read_back_from_perfect_maps_with_kind_and_pair() -> None:
    truth = stitched_annulus(3, 6.0)
    count = len(truth) // 2
    kinds, partners = np.repeat([0, 1], count), np.concatenate([np.arange(count) + count, np.arange(count)])
    maps = stitch_targets(truth, kinds, partners, (288, 512), 2)
    found = read_stitches(StitchArrays(0.98 * maps.heat[0], maps.exit[0], maps.offset, maps.pairing, 2), 0.5)
    matches = match_points(found.positions, truth, 3.0)
    assert len(matches.extra) == len(matches.missed) == 0
    assert matches.distances.max() < 0.05
    order = matches.pairs[np.argsort(matches.pairs[:, 1]), 0]
    np.testing.assert_array_equal(found.kinds[order], kinds)
    np.testing.assert_array_equal(found.pair_ids[order][:count], found.pair_ids[order][count:])
    assert len(set(found.pair_ids)) == count


def test_pairs_agree_from_both_ends_and_the_surer_end_tells_the_kinds() -> None:
    positions = np.array([[0.0, 0.0], [12.0, 1.0], [30.0, 0.0], [42.0, 0.0], [54.0, 0.0], [200.0, 0.0]])
    way = np.array([[12.0, 0.0], [-12.0, 0.0], [12.0, 0.0], [-12.0, 0.0], [-12.0, 0.0], [12.0, 0.0]])
    pair_ids, kinds = pair_stitches(positions, way, np.array([0.4, 0.45, 0.9, 0.55, 0.7, 0.2]))
    assert pair_ids[0] == pair_ids[1] != -1 and pair_ids[2] == pair_ids[3] != -1
    assert pair_ids[0] != pair_ids[2] and list(pair_ids[4:]) == [-1, -1]
    assert kinds.tolist() == [0, 1, 1, 0, 1, 0]
    empty, _ = pair_stitches(np.zeros((0, 2)), np.zeros((0, 2)), np.zeros(0))
    assert len(empty) == 0


def ring_of_stitches(stitches: int, share: float, seed: int = 0) -> np.ndarray:
    """Entries, then exits (2n, 2) px, in turn round an ellipse; a stitch takes ``share`` of its part of the ring."""
    rng = np.random.default_rng(seed)
    middle = (np.arange(stitches) + rng.uniform(-0.05, 0.05, stitches)) * 2 * np.pi / stitches
    half = share * np.pi / stitches
    angle = np.concatenate([middle - half, middle + half])
    ring = np.column_stack([256 + 110 * np.cos(angle), 144 + 95 * np.sin(angle)])
    return ring + rng.normal(0, 1.5, ring.shape)


@pytest.mark.parametrize("share", [0.35, 0.62])
def test_stitches_round_a_ring_are_paired_by_ways_that_are_far_too_short(share: float) -> None:
    made = right = right_kinds = 0
    for seed in range(10):
        rng = np.random.default_rng(seed)
        points = ring_of_stitches(13, share, seed)
        partner, kinds = np.roll(np.arange(26), 13), np.repeat([0, 1], 13)
        way = points[partner] - points
        way = way / np.linalg.norm(way, axis=1, keepdims=True) * rng.uniform(1, 7, (26, 1))
        way[rng.permutation(26)[:6]] *= -1.0
        doubted = np.where(rng.permutation(26) < 6, 1 - kinds, kinds)
        points = np.concatenate([points, [[256.0, 144.0], [262.0, 280.0]]])  # no suture points
        pair_ids, told = pair_stitches(points, np.concatenate([way, np.zeros((2, 2))]),
                                       np.append(np.where(doubted == 1, 0.75, 0.25), [0.5, 0.5]))
        numbers, counts = np.unique(pair_ids[pair_ids >= 0], return_counts=True)
        assert np.all(counts == 2) and list(pair_ids[26:]) == [-1, -1]
        made += len(numbers)
        right += np.count_nonzero((pair_ids[:13] == pair_ids[13:26]) & (pair_ids[:13] >= 0))
        right_kinds += np.count_nonzero(told[:26] == kinds)
    assert right / made > 0.9 and right / 130 > 0.8
    assert right_kinds / 260 > 0.9  # 77 % were right before


def test_points_that_could_as_well_be_grouped_otherwise_stay_alone() -> None:
    evenly = ring_of_stitches(13, 0.5)
    nothing_said = pair_stitches(evenly, np.zeros((26, 2)), np.full(26, 0.5))[0]
    assert np.count_nonzero(nothing_said >= 0) <= 4
    apart = np.array([[20.0, 20.0], [150.0, 20.0]])
    assert list(pair_stitches(apart, np.array([[6.0, 0.0], [-6.0, 0.0]]), np.array([0.1, 0.9]))[0]) == [-1, -1]


def test_weak_false_points_do_not_part_sure_pairs() -> None:
    points = ring_of_stitches(10, 0.4)
    false = points[:10] + np.array([7.0, 9.0])
    way = np.concatenate([points[10:] - points[:10], points[:10] - points[10:], np.zeros((10, 2))]) * 0.2
    exits = np.concatenate([np.full(10, 0.2), np.full(10, 0.8), np.full(10, 0.5)])
    pair_ids, _ = pair_stitches(np.concatenate([points, false]), way, exits, np.repeat([0.9, 0.15], [20, 10]))
    assert np.all(pair_ids[:10] >= 0)
    np.testing.assert_array_equal(pair_ids[:10], pair_ids[10:20])


def test_a_threshold_takes_points_and_parts_pairs() -> None:
    points = SuturePoints(np.zeros((3, 2)), np.array([0.9, 0.3, 0.8]), np.array([0, 1, 0]), np.array([4, 4, -1]))
    kept = points.at_least(0.5)
    assert len(kept) == 2 and list(kept.pair_ids) == [-1, -1]
    assert list(points.at_least(0.2).pair_ids) == [4, 4, -1]
    np.testing.assert_allclose(points.scaled((2.0, 4.0)).positions[0], [0.5, 1.5])


def test_matching_is_greedy_from_the_closest_pair() -> None:
    labels = np.array([[0.0, 0.0], [5.0, 0.0]])
    found = np.array([[3.0, 0.0], [9.0, 0.0]])
    matches = match_points(found, labels)
    assert matches.pairs.tolist() == [[0, 1]]  # 2 px; the other pairs left over are 4 taken and 9 px
    assert list(matches.extra) == [1] and list(matches.missed) == [0]
    assert len(match_points(found, labels, 2.0).pairs) == 0  # nearer than the radius, not at it
    assert len(match_points(np.zeros((0, 2)), labels).missed) == 2


def test_pooled_scores_follow_from_counts() -> None:
    tally = Tally(6, 2, 4)
    assert (tally.ppv, tally.tpr, tally.f1) == (0.75, 0.6, pytest.approx(2 * 0.75 * 0.6 / 1.35))
    labels = np.array([[10.0, 10.0], [20.0, 10.0], [100.0, 100.0]])
    assert list(close_labels(labels)) == [True, True, False]
    scores = score_images([
        ScoredImage(np.array([[10.0, 13.0], [107.0, 100.0]]), labels, np.array([0, 1]), np.array([1, 0, 1])),
        ScoredImage(np.zeros((0, 2)), labels[:1])])
    assert scores.by_radius == {6.0: Tally(1, 1, 3), 8.0: Tally(2, 0, 2), 10.0: Tally(2, 0, 2)}
    assert (scores.close, scores.apart) == (Tally(1, 0, 1), Tally(0, 0, 2))
    assert scores.rmse_px == pytest.approx(np.sqrt((3**2 + 7**2) / 2))
    assert (scores.images_without_points, scores.median_px, scores.right_kind) == (1, 3.0, 0.0)


def test_one_far_false_point_spoils_the_rmse() -> None:
    labels = np.array([[10.0, 10.0]])
    assert root_mean_square_error(np.array([[10.0, 11.0]]), labels) == 1.0
    assert root_mean_square_error(np.array([[10.0, 11.0], [110.0, 10.0]]), labels) > 70
