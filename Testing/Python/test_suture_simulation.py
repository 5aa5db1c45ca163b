"""Simulated endoscopy: is what the pictures are said to show really there, exactly there, and new in the tests?"""

from dataclasses import replace

import numpy as np
import pytest
from SutureDetectionLib.simulation import looks
from SutureDetectionLib.simulation.frames import build_scene, take_picture
from SutureDetectionLib.simulation.occluders import Tool
from SutureDetectionLib.simulation.stitches import Stitches
from SutureDetectionLib.simulation.streams import endoscopy_frame, stereo_frame, video
from SutureDetectionLib.simulation.surface import meet
from VesselRegistrationLib.errors import UserError

NOTHING = Stitches(np.zeros((0, 3)), np.zeros((0, 3)), np.zeros(0, int), np.zeros(0, int), np.zeros(0), (),
                   np.zeros((0, 3)), (), np.zeros((0, 3)))


def brown(camera, points):
    """Pixels of points (n, 3) written out from the textbook, term by term."""
    pixels = []
    k1, k2, p1, p2, k3 = camera.distortion
    for x, y, z in points:
        a, b = x / z, y / z
        r2 = a**2 + b**2
        radial = 1 + k1 * r2 + k2 * r2**2 + k3 * r2**3
        u = a * radial + 2 * p1 * a * b + p2 * (r2 + 2 * a**2)
        v = b * radial + p1 * (r2 + 2 * b**2) + 2 * p2 * a * b
        pixels.append([camera.matrix[0, 0] * u + camera.matrix[0, 2], camera.matrix[1, 1] * v + camera.matrix[1, 2]])
    return np.array(pixels)


@pytest.mark.parametrize("domain", looks.DOMAINS)
def test_a_frame_is_whole_and_repeats(domain):
    frame = endoscopy_frame(3, domain)
    assert frame.image.shape == (288, 512, 3) and frame.image.dtype == np.uint8
    assert frame.image.std() > 10
    again = endoscopy_frame(3, domain)
    assert np.array_equal(frame.image, again.image) and np.array_equal(frame.points, again.points)
    assert not np.array_equal(frame.image, endoscopy_frame(4, domain).image)
    inside = np.all((frame.labels > -0.5) & (frame.labels < [511.5, 287.5]), axis=1)
    assert inside.all()
    assert np.all(np.bincount(frame.pair_ids) == 2)
    assert all(sorted(frame.kinds[frame.pair_ids == pair]) == [0, 1] for pair in np.unique(frame.pair_ids))


def test_other_sizes_and_wrong_domain():
    frame = endoscopy_frame(5, "or", (144, 256))
    assert frame.image.shape == (144, 256, 3)
    with pytest.raises(UserError, match="appearance domain"):
        endoscopy_frame(0, "theatre")


def test_stereo_points_follow_the_calibration():
    for seed in range(3):
        pair = stereo_frame(seed, "or")
        calibration = pair.calibration
        assert 2.9 < calibration.baseline_mm < 6.1
        assert np.abs(brown(calibration.left, pair.points_mm) - pair.left.points).max() < 1e-6
        in_right = pair.points_mm @ calibration.rotation.T + calibration.translation
        assert np.abs(brown(calibration.right, in_right) - pair.right.points).max() < 1e-6
        assert np.array_equal(pair.left.ids, pair.right.ids)
        assert pair.top_bottom.shape == (576, 512, 3)
        # The eye to the right sees everything further to the left.
        turned = calibration.right.undistorted(pair.right.points) - calibration.left.undistorted(pair.left.points)
        assert turned[:, 0].std() < 0.05


def test_the_left_eye_is_the_single_frame():
    assert np.array_equal(stereo_frame(7, "simulator").left.image, endoscopy_frame(7, "simulator").image)


def test_points_lie_on_the_tissue_that_is_painted():
    scene, view = build_scene(np.random.default_rng(2), "simulator", (288, 512))
    meeting = meet(scene.valve, view)
    pixels, depth = view.project(scene.stitches.points)
    inside = np.all((pixels > 1) & (pixels < [510, 286]), axis=1)
    spot = np.rint(pixels[inside]).astype(int)
    seen = meeting.places.reshape(288, 512, 3)[spot[:, 1], spot[:, 0]]
    per_mm = view.camera.focal_px / depth[inside]
    away = np.linalg.norm(seen - scene.stitches.points[inside], axis=1)
    assert np.median(away * per_mm) < 1.0 and away.max() < 0.6


def test_every_visible_point_changes_the_picture_where_it_is():
    changed, elsewhere = [], []
    for seed in range(4):
        scene, view = build_scene(np.random.default_rng(seed), "simulator", (288, 512))
        scene = replace(scene, look=replace(scene.look, smoke=0.0, quality=0), tools=(), ring=None)
        full, bare = take_picture(scene, view, 0), take_picture(replace(scene, stitches=NOTHING), view, 0)
        difference = np.abs(full.image.astype(float) - bare.image).mean(axis=2)
        for col, row in np.rint(full.labels).astype(int):
            changed.append(difference[max(row - 2, 0) : row + 3, max(col - 2, 0) : col + 3].max())
        elsewhere.append(np.median(difference))
    assert np.mean(np.array(changed) > 12) > 0.95
    assert max(elsewhere) < 4


def test_a_covered_point_is_no_label():
    scene, view = build_scene(np.random.default_rng(6), "or", (288, 512))
    scene = replace(scene, tools=(), ring=None)
    before = take_picture(scene, view, 0)
    hidden = int(np.nonzero(before.visible)[0][0])
    place = scene.stitches.points[hidden]
    towards = (view.centre - place) / np.linalg.norm(view.centre - place)
    across = view.rotation[0]
    finger = Tool(place + 8 * towards - 6 * across, place + 8 * towards + 6 * across,
                  place + 8 * towards + 60 * across, 6.0, 6.0, 0.0, True)
    after = take_picture(scene, view, 0, (finger,))
    assert not after.visible[hidden]
    assert np.array_equal(before.points, after.points)
    assert not np.any(after.visible & ~before.visible)


def test_video_keeps_ids_moves_smoothly_and_hides_points_for_a_while():
    frames = list(video(5, 60, "simulator", (144, 256)))
    assert len(frames) == 60
    points = np.array([frame.points for frame in frames])
    visible = np.array([frame.visible for frame in frames])
    assert all(np.array_equal(frame.ids, frames[0].ids) for frame in frames)
    assert 0.05 < np.linalg.norm(np.diff(points, axis=0), axis=2).max() < 6
    gone = [np.diff(np.nonzero(visible[:, one])[0]).max(initial=0) for one in range(visible.shape[1])]
    assert 12 <= max(gone) <= 55  # at 25 frames per second


def test_close_points_are_common_but_not_the_rule():
    close = total = 0
    for seed in range(16):
        labels = endoscopy_frame(seed, "simulator").labels
        apart = np.linalg.norm(labels[:, None] - labels[None], axis=2) + 1e9 * np.eye(len(labels))
        close += int((apart.min(axis=1, initial=1e9) < 15).sum())
        total += len(labels)
    assert 8 < total / 16 < 30
    assert 0.15 < close / total < 0.6


def test_held_out_domains_share_no_family_with_training():
    def drawn(domain):
        chosen = [looks.sample_look(np.random.default_rng(seed), domain) for seed in range(60)]
        return {look.texture for look in chosen}, {look.instrument_kind for look in chosen}

    seen = [drawn(domain) for domain in looks.TRAINING_DOMAINS]
    for domain in (looks.SIMULATOR_HELDOUT, looks.OPERATING_ROOM_HELDOUT):
        textures, instruments = drawn(domain)
        for known_textures, known_instruments in seen:
            assert not textures & known_textures and not instruments & known_instruments
