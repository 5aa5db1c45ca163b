"""Devices as curves: analytically drawn ones come back with their tips, through crossings, loops, gaps and borders."""

import json
import time

import numpy as np
import pytest
from catheter_shapes import bow, distances, drawn, line, pigtail
from scipy.ndimage import gaussian_filter
from VesselRegistrationLib.catheters.skeleton import cleaned, skeleton_pieces
from VesselRegistrationLib.catheters.tracing import curves_as_dicts, trace_devices
from VesselRegistrationLib.errors import UserError

SCENES = {
    "straight": [line((0, 40), (150, 120))],
    "bow": [bow((0, 40), (180, 200), 40)],
    "crossing": [line((0, 40), (200, 210)), line((255, 30), (60, 200))],
    "slanted crossing": [line((0, 100), (220, 130)), line((0, 130), (220, 95))],
    "pigtail": [pigtail((128, 255), (128, 90), 16, 1.7 * np.pi)],
    "loop that crosses its shaft": [pigtail((128, 255), (128, 90), 30, 2.2 * np.pi, 0.4)],
    "three": [bow((0, 40), (180, 200), 40), line((255, 20), (40, 180)), bow((100, 255), (160, 40), -30)],
}


def assert_found(found, curves, within=2.0):
    """Every drawn curve, its tip the last point, has one found curve that follows all of it and starts at its tip."""
    assert len(found) == len(curves)
    left = list(found)
    for curve in curves:
        best = min(left, key=lambda one: distances(one.points, curve).mean())
        left = [one for one in left if one is not best]
        assert distances(best.points, curve).max() < within
        assert distances(curve, best.points).max() < within + 1.5  # the last pixels at the border may be missing
        assert best.tip is not None
        np.testing.assert_allclose(best.tip, curve[-1], atol=within)
        np.testing.assert_array_equal(best.tip, best.points[0])


@pytest.mark.parametrize("scale", [1, 2], ids=["256", "512"])
@pytest.mark.parametrize("scene", SCENES)
def test_curves_and_tips_are_found(scene, scale):
    curves = [scale * curve for curve in SCENES[scene]]
    assert_found(trace_devices(drawn(256 * scale, *curves, width=3.0 * scale**0.5)), curves)


def test_centrelines_are_finer_than_pixels():
    curve = line((0.0, 40.3), (150.0, 120.7))
    [found] = trace_devices(drawn(256, curve, width=4.0))
    assert distances(found.points, curve).mean() < 0.25
    assert found.width_px == pytest.approx(4.0, abs=0.75)
    assert found.length_px == pytest.approx(np.hypot(150.0, 80.4), abs=3.0)
    steps = np.linalg.norm(np.diff(found.points, axis=0), axis=1)
    assert steps.max() < 1.5


def test_gaps_are_bridged():
    curve = bow((0, 40), (180, 200), 40)
    gaps = [(*curve[60], 6.0), (*curve[130], 7.0)]
    assert_found(trace_devices(drawn(256, curve, gaps=gaps)), [curve])


def test_wide_gaps_are_not():
    mask = drawn(256, line((0, 128), (255, 128)), gaps=[(128, 128, 30)])
    assert len(trace_devices(mask)) == 2


def test_a_tip_that_touches_another_device_stays_its_own():
    through, ending = bow((0, 60), (255, 90), 30), line((120, 255), (140, 104))
    found = trace_devices(drawn(256, through, ending))
    assert [one.tip is None for one in found] == [True, False]
    assert distances(found[0].points, through).max() < 2.0
    assert distances(found[1].points, ending).max() < 2.0
    np.testing.assert_allclose(found[1].tip, ending[-1], atol=4.0)


def test_an_end_at_the_border_is_no_tip():
    [found] = trace_devices(drawn(256, line((0, 30), (255, 200))))
    assert found.tip is None and found.tip_confidence == 0.0


def test_an_end_at_a_shutter_is_no_tip():
    curve = line((30, 40), (180, 200))
    usable = np.ones((256, 256), dtype=bool)
    mask = drawn(256, curve)
    [unsure] = trace_devices(mask, usable)
    usable[:, :60] = False
    [sure] = trace_devices(mask, usable)
    np.testing.assert_allclose(sure.tip, curve[-1], atol=1.5)
    assert sure.points[:, 0].min() > 58
    assert sure.tip_confidence > unsure.tip_confidence > 0


def test_specks_and_spurs_are_dropped():
    curve = bow((0, 40), (180, 200), 40)
    rng = np.random.default_rng(4)
    mask = drawn(256, curve)
    for col, row in rng.integers(5, 250, (15, 2)):
        mask[row:row + 2, col:col + 2] = True
    place = np.rint(curve[100]).astype(int)
    mask[place[1] - 4:place[1], place[0]] = True
    found = trace_devices(mask)
    assert len(found) == 1
    assert distances(found[0].points, curve).max() < 2.0


def test_noisy_probabilities_are_traced():
    curves = SCENES["crossing"]
    rng = np.random.default_rng(1)
    level = gaussian_filter(drawn(256, *curves, width=4.0).astype(float), 0.8)
    level = np.clip(level + 0.5 * gaussian_filter(rng.normal(size=level.shape), 1.0), 0.0, 1.0)
    assert_found(trace_devices(level, threshold=0.45), curves, within=2.5)


def test_faint_tips_are_less_trusted():
    curve = line((0, 40), (150, 120))
    mask = drawn(256, curve).astype(float)
    faint = np.where(np.indices(mask.shape)[1] > 130, 0.6 * mask, mask)
    [strong], [weak] = trace_devices(mask), trace_devices(faint)
    assert strong.tip_confidence > 0.9
    assert weak.tip_confidence < 0.75


def test_at_most_four_the_longest_first():
    curves = [line((0, 30 + 40 * k), (60 + 30 * k, 30 + 40 * k)) for k in range(5)]
    found = trace_devices(drawn(256, *curves))
    assert [round(one.tip[0]) for one in found] == pytest.approx([180, 150, 120, 90], abs=2)
    assert len(trace_devices(drawn(256, *curves), most=2)) == 2


def test_nothing_gives_nothing():
    assert trace_devices(np.zeros((64, 64), dtype=bool)) == ()
    dot = np.zeros((64, 64), dtype=bool)
    dot[30:34, 30:34] = True
    assert trace_devices(dot) == ()


def test_messy_masks_do_no_harm():
    rng = np.random.default_rng(2)
    for level in (rng.random((64, 96)) > 0.5, gaussian_filter(rng.normal(size=(128, 128)), 3) > 0, np.ones((64, 64))):
        for one in trace_devices(np.asarray(level, dtype=float)):
            assert np.all(np.isfinite(one.points)) and one.length_px > 0


def test_curves_as_plain_values():
    [content] = json.loads(json.dumps(curves_as_dicts(trace_devices(drawn(256, SCENES["straight"][0])))))
    np.testing.assert_allclose(content["tip_px"], (150, 120), atol=1.5)
    assert content["points_px"][0] == content["tip_px"]
    [through] = curves_as_dicts(trace_devices(drawn(256, line((0, 30), (255, 200)))))
    assert through["tip_px"] is None


@pytest.mark.parametrize(("found", "usable", "threshold"), [
    (np.zeros((3, 8, 8)), None, 0.5), (np.zeros((8, 8)), np.ones((9, 8), dtype=bool), 0.5),
    (np.zeros((8, 8)), None, 1.0), (np.full((8, 8), np.nan), None, 0.5)])
def test_bad_input_is_one_sentence(found, usable, threshold):
    with pytest.raises(UserError, match=r"^[A-Z].*: .*\.$"):
        trace_devices(found, usable, threshold=threshold)


def test_pieces_of_a_cross():
    mask = np.zeros((64, 64), dtype=bool)
    mask[31:34, 5:60] = True
    mask[5:60, 31:34] = True
    mask[2, 2] = True
    pieces, width = skeleton_pieces(cleaned(mask, 4))
    assert sorted(sum(piece.at_junction) for piece in pieces) == [1, 1, 1, 1]
    assert 2.5 < width < 3.5


def test_input_is_left_alone():
    mask = drawn(128, line((0, 40), (90, 80)))
    before = mask.copy()
    trace_devices(mask)
    np.testing.assert_array_equal(mask, before)


@pytest.mark.parametrize(("size", "limit_ms"), [(256, 30), (512, 120)])
def test_tracing_is_fast(size, limit_ms):  # 4 and 11 ms on an idle core: the limits leave room for busy machines
    mask = drawn(size, *(size / 256 * curve for curve in SCENES["crossing"]))
    times = []
    for _ in range(8):
        start = time.process_time()
        trace_devices(mask)
        times.append(time.process_time() - start)
    assert 1000 * min(times) < limit_ms
