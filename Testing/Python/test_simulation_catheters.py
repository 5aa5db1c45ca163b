"""Pictures with catheters: the truths about one picture agree with each other and with what is drawn."""

import numpy as np
import pytest
from scipy.ndimage import binary_dilation, distance_transform_edt, gaussian_filter
from VesselRegistrationLib.errors import UserError
from VesselRegistrationLib.simulation.catheter_frames import ANY, CatheterFrame, catheter_frame
from VesselRegistrationLib.simulation.courses import bounded_spline, with_arc
from VesselRegistrationLib.simulation.domains import TEST, TRAINING

SIZE = 160


@pytest.fixture(scope="module")
def frames() -> list[CatheterFrame]:
    return [catheter_frame(ANY, seed, SIZE) for seed in range(16)] + [
        catheter_frame(ANY, seed, SIZE, TEST) for seed in range(4)]


def test_masks_agree(frames: list[CatheterFrame]) -> None:
    for frame in frames:
        for image in (frame.attenuation, frame.vessel_mask, frame.device_mask, frame.instances, frame.usable):
            assert image.shape == (SIZE, SIZE)
        assert frame.attenuation.dtype == np.float32 and np.isfinite(frame.attenuation).all()
        assert frame.instances.dtype == np.uint8
        assert np.array_equal(frame.instances > 0, frame.device_mask)
        assert not (frame.device_mask & ~frame.usable).any() and not (frame.vessel_mask & ~frame.usable).any()
        count = len(frame.curves)
        assert 1 <= count <= 4 and frame.instances.max() <= count
        assert frame.tips.shape == (count, 2) and frame.tip_visible.shape == (count,)
    assert {len(frame.curves) for frame in frames} >= {1, 2, 3}


def test_curves_run_along_the_masks_from_the_tips_out_of_the_picture(frames: list[CatheterFrame]) -> None:
    seen = 0
    for frame in frames:
        hidden = np.pad(~frame.usable, 1, constant_values=True)
        to_edge = distance_transform_edt(~hidden)[1:-1, 1:-1]
        for number, curve in enumerate(frame.curves):
            assert curve.dtype == np.float32 and curve.ndim == 2 and curve.shape[1] == 2
            assert curve.min() >= 0 and curve.max() <= SIZE - 1
            assert np.abs(np.linalg.norm(np.diff(curve, axis=0), axis=1)).max() < 1.1
            col, row = np.rint(curve).astype(int).T
            assert frame.usable[row, col].all()
            assert frame.device_mask[row, col].all()
            if len(frame.curves) == 1:
                assert (frame.instances[row, col] == 1).all()
            assert to_edge[row[-1], col[-1]] <= 3.0
            tip = frame.tips[number]
            if frame.tip_visible[number]:
                seen += 1
                assert np.linalg.norm(curve[0] - tip) < 1e-3
            else:
                inside = np.all((tip >= 0) & (tip <= SIZE - 1))
                near = np.linalg.norm(curve[0] - tip) > 0.5
                assert (not inside or near) and to_edge[row[0], col[0]] <= 3.0
    assert seen >= 12


def test_devices_are_darker_than_their_surroundings(frames: list[CatheterFrame]) -> None:
    darker = []
    for frame in frames:
        smooth = gaussian_filter(frame.attenuation, 0.7)
        for number in range(len(frame.curves)):
            own = frame.instances == number + 1
            ring = binary_dilation(own, iterations=4) & ~binary_dilation(frame.device_mask, iterations=2) & frame.usable
            if own.sum() > 30 and ring.sum() > 30:
                darker.append(smooth[own].mean() - smooth[ring].mean())
    assert np.mean(np.array(darker) > 0) > 0.85 and np.median(darker) > 0.05


def test_the_same_seed_gives_the_same_frame_in_any_order() -> None:
    one = [catheter_frame(ANY, seed, 96) for seed in (5, 40, 5)]
    assert np.array_equal(one[0].attenuation, one[2].attenuation)
    assert np.array_equal(one[0].instances, one[2].instances)
    assert all(np.array_equal(a, b) for a, b in zip(one[0].curves, one[2].curves, strict=True))
    assert not np.array_equal(one[0].attenuation, one[1].attenuation)
    assert not np.array_equal(one[0].attenuation, catheter_frame(ANY, 5, 96, TEST).attenuation)


def test_splines_keep_their_radius_of_curvature() -> None:
    for seed in range(20):
        rng = np.random.default_rng(seed)
        tightest = rng.uniform(9.0, 60.0)
        line = bounded_spline(rng, rng.normal(0, 30, 2), rng.uniform(0, 6), rng.normal(0, 90, 2), tightest, 400.0)
        first, second = np.gradient(line, axis=0), np.gradient(np.gradient(line, axis=0), axis=0)
        curvature = np.abs(first[:, 0] * second[:, 1] - first[:, 1] * second[:, 0]) / np.linalg.norm(first, axis=1)**3
        assert 1 / curvature[3:-3].max() > tightest


def test_an_arc_turns_by_its_angle_and_goes_on_straight() -> None:
    line = np.linspace([0.0, 0, 0], [0, 0, 40.0], 60)
    bent = with_arc(line, np.random.default_rng(0), 10.0, np.pi / 2, 12.0)
    start, end = bent[1] - bent[0], bent[-1] - bent[-2]
    assert abs(start @ end) < 1e-9
    assert np.linalg.norm(bent[-1] - line[-1]) == pytest.approx(np.hypot(10.0, 10.0 + 12.0), abs=0.1)


@pytest.mark.parametrize(("family", "seed", "domain", "said"), [
    ("head", 0, TRAINING, "upper, lower, any"), (ANY, -1, TRAINING, "negative"), (ANY, 0, "clinic", "training, test")])
def test_bad_arguments(family: str, seed: int, domain: str, said: str) -> None:
    with pytest.raises(UserError, match=said):
        catheter_frame(family, seed, 64, domain)
