"""The endless training examples: repeatable, held-out domains apart, truth that fits the picture."""

import numpy as np
import pytest
from scipy.ndimage import binary_dilation
from VesselRegistrationLib.errors import UserError
from VesselRegistrationLib.projection.rasterizer import silhouette
from VesselRegistrationLib.simulation.anatomy import FAMILIES, LOWER, UPPER
from VesselRegistrationLib.simulation.domains import DOMAINS, TEST, TRAINING
from VesselRegistrationLib.simulation.exposure import (
    SHIFT_LIMIT_MM,
    TURN_LIMIT_DEG,
    initial_pose,
    random_view,
    true_pose,
)
from VesselRegistrationLib.simulation.fluoroscopy import simulate_frame
from VesselRegistrationLib.simulation.looks import sample_look
from VesselRegistrationLib.simulation.streams import anatomy_seed, cached_anatomy, matching_pair, training_frame

POOL = 150  # seeds 150 apart share the anatomy of the training pool


@pytest.mark.parametrize("family", FAMILIES)
def test_frames_are_repeatable_and_their_masks_fit_together(family: str) -> None:
    for seed in (3, 3 + POOL, 3 + 2 * POOL):
        image, vessels, devices, usable = training_frame(family, seed, size=128)
        assert image.shape == vessels.shape == devices.shape == usable.shape == (128, 128)
        assert image.dtype == np.float32 and np.isfinite(image).all()
        assert vessels.dtype == devices.dtype == usable.dtype == bool
        assert not (vessels & ~usable).any() and not (devices & ~usable).any()
        again = training_frame(family, seed, size=128)
        assert all(np.array_equal(a, b) for a, b in zip((image, vessels, devices, usable), again, strict=True))
    assert not np.array_equal(image, training_frame(family, 3, size=128)[0])


@pytest.mark.parametrize("family", FAMILIES)
def test_the_mask_is_where_contrast_darkens_the_picture(family: str) -> None:
    rings = []
    for seed in range(3, 3 + 12 * POOL, POOL):
        image, vessels, _, usable = training_frame(family, seed, size=128)
        ring = binary_dilation(vessels, iterations=4) & ~binary_dilation(vessels, iterations=1) & usable
        if vessels.sum() > 100:
            rings.append(image[vessels].mean() - image[ring].mean())
    assert len(rings) >= 9
    assert np.mean(np.array(rings) > 0) > 0.9 and np.median(rings) > 0.15


def test_pixels_of_a_frame_lie_where_the_view_projects_them() -> None:
    anatomy = cached_anatomy(LOWER, 3)
    rng = np.random.default_rng(0)
    view = random_view(LOWER, rng, 160)
    pose = true_pose(anatomy.model.centre, rng)
    frame = simulate_frame(anatomy, view, pose, rng, sample_look(rng, TRAINING, anatomy))
    assert np.array_equal(frame.silhouette, silhouette(anatomy.model, view.projection_matrix @ pose, (160, 160)))
    assert not (frame.vessel_mask & ~frame.silhouette).any()


def test_frames_of_one_look_share_their_scenery() -> None:
    anatomy = cached_anatomy(UPPER, 3)
    rng = np.random.default_rng(4)
    view = random_view(UPPER, rng, 96)
    pose = true_pose(anatomy.model.centre, rng)
    look = sample_look(rng, TEST, anatomy)
    one, other = (simulate_frame(anatomy, view, pose, np.random.default_rng(seed), look) for seed in (1, 2))
    assert np.array_equal(one.device_mask, other.device_mask) and np.array_equal(one.usable, other.usable)
    assert not np.array_equal(one.attenuation, other.attenuation)
    shown = one.usable
    assert np.corrcoef(one.attenuation[shown], other.attenuation[shown])[0, 1] > 0.5


@pytest.mark.parametrize("family", FAMILIES)
def test_pairs_hold_initial_spoilt_and_true_silhouette(family: str) -> None:
    scores = []
    for seed in range(3, 3 + 15 * POOL, POOL):
        initial, spoilt, clean = matching_pair(family, seed, size=128)
        for image in (initial, spoilt, clean):
            assert image.shape == (128, 128) and image.dtype == np.float32 and set(np.unique(image)) <= {0.0, 1.0}
        assert all(np.array_equal(a, b) for a, b in zip((initial, spoilt, clean), matching_pair(family, seed, 128),
                                                        strict=True))
        scores.append([2 * (a * clean).sum() / (a.sum() + clean.sum()) for a in (initial, spoilt)])
    start, mask = np.array(scores).T
    assert np.median(start) < 0.9 and start.min() > 0.02  # moved, but never out of sight
    assert 0.7 < np.median(mask) <= 1.0 and mask.min() < 0.98  # some masks are spoilt, most are usable


def test_poses_stay_in_their_ranges() -> None:
    rng = np.random.default_rng(0)
    centre = np.array([10.0, -200.0, 900.0])
    turns, shifts = [], []
    for _ in range(300):
        pose = true_pose(centre, rng)
        turns.append(np.degrees(np.arccos((np.trace(pose[:3, :3]) - 1) / 2)))
        shifts.append(pose[:3, :3] @ centre + pose[:3, 3])
    assert np.abs(shifts).max() <= SHIFT_LIMIT_MM + 1e-9 and np.abs(shifts).max() > 0.9 * SHIFT_LIMIT_MM
    assert TURN_LIMIT_DEG < max(turns) <= np.sqrt(3) * TURN_LIMIT_DEG + 0.5
    assert np.allclose(initial_pose(centre) @ [*centre, 1], [0, 0, 0, 1])
    for family in FAMILIES:
        for _ in range(50):
            view = random_view(family, rng, 256)
            field = 256 * view.row_spacing_mm
            assert 900 <= view.sid_mm <= 1200 and 700 <= view.sod_mm <= 800
            assert (300 if family == LOWER else 200) <= field <= (400 if family == LOWER else 300)


def test_domains_differ_in_kind_and_in_anatomies() -> None:
    anatomy = cached_anatomy(UPPER, 3)
    looks = {domain: [sample_look(np.random.default_rng(seed), domain, anatomy) for seed in range(60)]
             for domain in DOMAINS}
    textures = {domain: {look.texture for look in looks[domain]} for domain in DOMAINS}
    assert not textures[TRAINING] & textures[TEST]
    tools = {domain: {tool for look in looks[domain] for tool in look.tools} for domain in DOMAINS}
    assert tools[TEST] - tools[TRAINING] and tools[TRAINING] - tools[TEST]
    pools = {domain: {anatomy_seed(seed, domain) for seed in range(2000)} for domain in DOMAINS}
    assert not pools[TRAINING] & pools[TEST] and len(pools[TRAINING]) == POOL
    with pytest.raises(UserError, match="training, test"):
        sample_look(np.random.default_rng(0), "validation", anatomy)
