"""Domains, small arteries, display looks, lag and backgrounds of catheter frames."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.ndimage import binary_dilation, label
from VesselRegistrationLib.errors import UserError
from VesselRegistrationLib.simulation.anatomy import LOWER, UPPER
from VesselRegistrationLib.simulation.arteries import artery_shadow, small_arteries, tree_centre
from VesselRegistrationLib.simulation.backgrounds import ct_backgrounds, frame_over, patch_frame
from VesselRegistrationLib.simulation.catheter_frames import ANY, catheter_frame
from VesselRegistrationLib.simulation.contrast import Filling
from VesselRegistrationLib.simulation.ct_case import CTVolume, read_ct
from VesselRegistrationLib.simulation.domains import (
    BORDERS,
    CORONARY,
    DISPLAY,
    DOMAINS,
    DSA,
    HELD_OUT_DOMAINS,
    INVERTED,
    LOW_DOSE,
    TEST,
    TRAINING,
    WIDE,
    domain_named,
)
from VesselRegistrationLib.simulation.fluoroscopy import observe
from VesselRegistrationLib.simulation.looks import Look, sample_look
from VesselRegistrationLib.simulation.streams import anatomy_seed, cached_anatomy, training_frame
from VesselRegistrationLib.simulation.vendor import displayed, undeclared_border

PLAIN = Look(Filling(0.0), scene_seed=5, photons=4000.0, scatter=0.2, blur_px=0.0, electronic=1.0)
CT = Path(__file__).parents[3] / "shared" / "data" / "ct" / "vhf_pelvis_ct.nii.gz"


def ramp(size: int = 96) -> np.ndarray:
    return np.tile(np.linspace(0.0, 2.0, size, dtype=np.float32), (size, 1))


def test_at_least_five_domains_are_never_learnt_from() -> None:
    assert set(DOMAINS) - set(HELD_OUT_DOMAINS) == {TRAINING, WIDE}
    assert {TEST, DSA, LOW_DOSE, DISPLAY, BORDERS, INVERTED, CORONARY} <= set(HELD_OUT_DOMAINS)
    learnt = {anatomy_seed(seed, name) for name in (TRAINING, WIDE) for seed in range(3000)}
    for name in HELD_OUT_DOMAINS:
        assert not learnt & {anatomy_seed(seed, name) for seed in range(3000)}
    with pytest.raises(UserError, match="training, test, wide"):
        domain_named("clinic")


def test_every_held_out_domain_has_a_kind_that_training_lacks() -> None:
    anatomy = cached_anatomy(UPPER, 3)

    def kinds(name: str) -> dict[str, set[object]]:
        looks = [sample_look(np.random.default_rng(seed), name, anatomy) for seed in range(80)]
        return {"texture": {look.texture for look in looks}, "tone": {look.tone for look in looks},
                "border": {look.border for look in looks}, "inverted": {look.inverted for look in looks},
                "roadmap": {look.roadmap for look in looks}, "text": {look.text for look in looks},
                "thin_vessels": {look.thin_vessels for look in looks}}

    learnt = [kinds(name) for name in (TRAINING, WIDE)]
    for name, factor in ((TEST, "texture"), (DSA, "texture"), (LOW_DOSE, "texture"), (DISPLAY, "tone"),
                         (BORDERS, "border"), (INVERTED, "inverted"), (CORONARY, "thin_vessels")):
        found = kinds(name)
        assert not found["texture"] & learnt[0]["texture"]
        assert any(found[factor].isdisjoint(one[factor]) for one in learnt), name
    brightest = [max(sample_look(np.random.default_rng(seed), LOW_DOSE, anatomy).photons for seed in range(60)),
                 min(sample_look(np.random.default_rng(seed), TRAINING, anatomy).photons for seed in range(60))]
    assert brightest[0] < brightest[1]
    for name in HELD_OUT_DOMAINS:
        assert set(domain_named(name).catheters) - set(domain_named(TRAINING).catheters)
        assert set(domain_named(name).decoys["upper"]) - set(domain_named(TRAINING).decoys["upper"])


@pytest.mark.parametrize("name", [WIDE, DSA, LOW_DOSE, DISPLAY, BORDERS, INVERTED, CORONARY])
def test_frames_of_every_domain_hold_together(name: str) -> None:
    for seed in range(2):
        frame = catheter_frame(ANY, seed, 112, name)
        again = catheter_frame(ANY, seed, 112, name)
        assert np.array_equal(frame.attenuation, again.attenuation)
        assert np.isfinite(frame.attenuation).all() and frame.attenuation.dtype == np.float32
        assert np.array_equal(frame.instances > 0, frame.device_mask) and frame.device_mask.any()
        assert not ((frame.device_mask | frame.vessel_mask) & ~frame.usable).any()
        for curve in frame.curves:
            col, row = np.rint(curve).astype(int).T
            assert frame.device_mask[row, col].all()
    image, vessels, devices, usable = training_frame(UPPER, 1, 96, name)
    assert np.isfinite(image).all() and not ((vessels | devices) & ~usable).any()


def test_undeclared_borders_are_black_and_hold_no_truth() -> None:
    for kind in ("circle", "bars", "frame"):
        look = replace(PLAIN, border=kind)
        inside = undeclared_border(look, (96, 96))
        assert 0.4 < inside.mean() < 1.0 and inside[48, 48]
        shown = displayed(ramp(), np.ones((96, 96), dtype=bool), look)
        assert np.array_equal(shown[inside], ramp()[inside]) and (shown[~inside] > 2.0).all()
    frames = [catheter_frame(ANY, seed, 112, BORDERS) for seed in range(4)]
    assert all(frame.usable.all() for frame in frames)  # nobody told
    for frame in frames:
        black = frame.attenuation > 6.0
        assert black.mean() > 0.02 and not (black & (frame.device_mask | frame.vessel_mask)).any()


def test_display_curves_keep_the_order_and_inversion_turns_it_round() -> None:
    everywhere = np.ones((96, 96), dtype=bool)
    for tone in ("gamma", "s-curve"):
        shown = displayed(ramp(), everywhere, replace(PLAIN, tone=tone))
        assert (np.diff(shown[0]) >= 0).all() and len(np.unique(shown)) <= 256
        assert abs(shown[0, 48] - ramp()[0, 48]) > 0.02
    turned = displayed(ramp(), everywhere, replace(PLAIN, inverted=True))
    assert np.allclose(turned, 2.0 - ramp(), atol=1e-5)
    waves = ramp() + 0.2 * np.sin(np.arange(96) * 0.9)[None]
    evened = displayed(waves, everywhere, replace(PLAIN, tone="local contrast"))
    assert np.ptp(evened) < 0.9 * np.ptp(ramp())


def test_text_covers_a_little_of_the_corners() -> None:
    shown = displayed(ramp(), np.ones((96, 96), dtype=bool), replace(PLAIN, text=True))
    touched = shown != ramp()
    assert 0.002 < touched.mean() < 0.2 and not touched[36:60, 36:60].any()


def test_lag_leaves_a_share_of_the_frame_before() -> None:
    flat, usable = np.ones((64, 64), dtype=np.float32), np.ones((64, 64), dtype=bool)
    wire, nothing = np.zeros((64, 64), dtype=np.float32), np.zeros((64, 64), dtype=np.float32)
    wire[30:34] = 1.0
    look = replace(PLAIN, photons=1e6, scatter=0.0, lag=0.4)
    ghost = observe(flat, nothing, usable, np.random.default_rng(0), look, before=wire)
    expected = -np.log(0.6 + 0.4 * np.exp(-1.0))  # lag mixes intensities
    assert ghost[31].mean() - ghost[5].mean() == pytest.approx(expected, abs=0.03)
    sharp = observe(flat, nothing, usable, np.random.default_rng(0), replace(look, lag=0.0), before=wire)
    assert sharp[31].mean() - sharp[5].mean() == pytest.approx(0.0, abs=0.01)


def test_a_roadmap_shows_the_vessel_bright_and_the_device_dark() -> None:
    flat, usable = np.ones((64, 64), dtype=np.float32), np.ones((64, 64), dtype=bool)
    vessel, wire = np.zeros((64, 64), dtype=np.float32), np.zeros((64, 64), dtype=np.float32)
    vessel[:, 10:16], wire[40:43] = 0.5, 0.5
    look = replace(PLAIN, photons=1e6, subtracted=True, motion_px=0.0, scatter=0.0)
    dsa = observe(flat, vessel, usable, np.random.default_rng(0), look, moving=wire)
    roadmap = observe(flat, vessel, usable, np.random.default_rng(0), replace(look, roadmap=True), moving=wire)
    assert dsa[5, 12] == pytest.approx(0.5, abs=0.05) and roadmap[5, 12] == pytest.approx(-0.5, abs=0.05)
    assert dsa[41, 40] == pytest.approx(0.5, abs=0.05) and roadmap[41, 40] == pytest.approx(0.5, abs=0.05)


@pytest.mark.parametrize("family", [UPPER, LOWER])
def test_small_arteries_are_a_connected_tapering_tree(family: str) -> None:
    anatomy = cached_anatomy(family, 3)
    for seed in range(6):
        arteries = small_arteries(anatomy, seed)
        assert len(arteries) >= 4
        centre = tree_centre(anatomy)
        for number, artery in enumerate(arteries):
            assert (np.diff(artery.radii) <= 1e-9).all() and artery.radii.min() > 0.25 and artery.radii.max() < 2.4
            assert np.linalg.norm(artery.line - centre, axis=1).max() < 80
            if artery.inlet_distance_mm > 0:  # it begins on one that was there before it
                others = np.concatenate([other.line for other in arteries[:number]])
                assert np.linalg.norm(others - artery.line[0], axis=1).min() < 1e-6


def test_small_arteries_cast_a_shadow_inside_their_mask() -> None:
    anatomy = cached_anatomy(UPPER, 3)
    centre = tree_centre(anatomy)
    projection = np.array([[1000.0, 0, 0, 0], [0, 0, 1000.0, 0], [0, 1, 0, 0]])
    projection[:, 3] = -projection[:, :3] @ centre + [64 * 700.0, 64 * 700.0, 700.0]
    shadow, mask = artery_shadow(anatomy, Filling(0.06), 4, projection, (128, 128))
    assert mask.sum() > 150 and (shadow[mask] > 0).mean() > 0.9
    assert shadow[~binary_dilation(mask)].max() < 0.05
    assert label(mask, np.ones((3, 3)))[1] <= 3
    assert not artery_shadow(anatomy, Filling(0.0), 4, projection, (128, 128))[1].any()


def test_patch_frames_follow_the_papers_recipe() -> None:
    patches = np.full((3, 96, 96), 128.0)
    for seed in range(6):
        frame = patch_frame(seed, 96, backgrounds=patches)
        grey = 255 - 100 * frame.attenuation
        assert np.allclose(grey[~frame.device_mask], 128.0, atol=1e-3)
        inside = grey[frame.device_mask] - 128.0
        assert np.abs(inside).max() <= 50.001 and inside.std() == pytest.approx(100 / np.sqrt(12), rel=0.2)
        col, row = np.rint(frame.curves[0]).astype(int).T
        assert frame.device_mask[row, col].all() and len(frame.curves) == 1
        assert np.array_equal(frame.attenuation, patch_frame(seed, 96, backgrounds=patches).attenuation)
    with pytest.raises(UserError, match="96 x 96"):
        patch_frame(0, 96, backgrounds=np.zeros((2, 64, 64)))


def test_catheters_over_a_given_background() -> None:
    background = ramp(128)[:, :96] + 1.0
    frame = frame_over(background, 3)
    assert frame.attenuation.shape == (128, 96) and frame.device_mask.any() and not frame.vessel_mask.any()
    finished = frame_over(background, 3, finished=True)
    far = ~binary_dilation(finished.device_mask, iterations=6)
    assert np.allclose(finished.attenuation[far], background[far], atol=0.02)
    assert (finished.attenuation - background)[finished.device_mask].mean() > 0.03
    with pytest.raises(UserError, match="64 x 64"):
        frame_over(np.full((96, 96), np.nan), 0)


def test_backgrounds_of_a_block_are_as_thick_as_the_block() -> None:
    values = np.full((60, 60, 60), 0.02, dtype=np.float32)
    ras_to_index = np.diag([0.2, 0.2, 0.2, 1.0])  # 5 mm voxels: a cube of 300 mm
    images = ct_backgrounds(CTVolume(values, ras_to_index), 2, 0, 64)
    assert images.shape == (2, 64, 64) and images.dtype == np.float32
    middle = images[:, 24:40, 24:40]
    assert (middle > 0.02 * 280).all() and (middle < 0.02 * 300 * np.sqrt(3)).all()


@pytest.mark.skipif(not CT.exists(), reason="the shared CT is not here")
def test_backgrounds_of_a_real_ct_show_the_body() -> None:
    images = ct_backgrounds(read_ct(CT), 1, 1, 96)
    assert (images[0] > 0.4).mean() > 0.8 and images.max() < 15
