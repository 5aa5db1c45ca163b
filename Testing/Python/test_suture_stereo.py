"""Two eyes: calibrations read and refused, partners found, millimetres right, the ring's length and gaps right."""

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.spatial.transform import Rotation
from scipy.special import ellipe
from SutureDetectionLib.simulation.streams import stereo_frame
from SutureDetectionLib.stereo.annulus import fit_annulus, stitch_spacing
from SutureDetectionLib.stereo.calibration_file import read_calibration, write_calibration
from SutureDetectionLib.stereo.camera import Camera, StereoCalibration
from SutureDetectionLib.stereo.correspondence import match_eyes
from SutureDetectionLib.stereo.reconstruction import reconstruct
from SutureDetectionLib.stereo.triangulation import triangulate
from VesselRegistrationLib.errors import UserError

SIZE = (288, 512)
AS_OPENCV_WRITES_IT = """%YAML:1.0
---
imageSize: [ 512, 288 ]
M1: !!opencv-matrix
   rows: 3
   cols: 3
   dt: d
   data: [ 4.1e+02, 0., 255.5, 0., 4.1e+02, 143.5, 0., 0., 1. ]
D1: !!opencv-matrix
   rows: 1
   cols: 5
   dt: d
   data: [ -1.0000000000000001e-01, 2.0e-02, 1.0e-03, -5.0e-04,
       0. ]
M2: !!opencv-matrix
   rows: 3
   cols: 3
   dt: d
   data: [ 4.12e+02, 0., 250., 0., 4.12e+02, 145., 0., 0., 1. ]
D2: !!opencv-matrix
   rows: 1
   cols: 4
   dt: d
   data: [ -0.08, 0.01, 0., 0. ]
R: !!opencv-matrix
   rows: 3
   cols: 3
   dt: d
   data: [ 1., 0., 0., 0., 1., 0., 0., 0., 1. ]
T: !!opencv-matrix
   rows: 3
   cols: 1
   dt: d
   data: [ -4.5, 0.1, 0. ]
"""


def endoscope(focal=400.0, baseline=4.5, turn_deg=1.5, size=SIZE):
    matrix = np.array([[focal, 0, 0.5 * size[1] - 0.5], [0, focal, 0.5 * size[0] - 0.5], [0, 0, 1.0]])
    rotation = Rotation.from_euler("y", turn_deg, degrees=True).as_matrix()
    return StereoCalibration(Camera(matrix, np.array([-0.1, 0.02, 0.001, -0.001, 0.0])),
                             Camera(matrix, np.array([-0.09, 0.01, 0.0, 0.0, 0.0])), rotation,
                             rotation @ [-baseline, 0.0, 0.0], size)


def seen(points, calibration):
    """Both eyes' pixels by the formula in OpenCV's manual, one point after the other."""
    eyes = []
    for camera, place in ((calibration.left, points),
                          (calibration.right, points @ calibration.rotation.T + calibration.translation)):
        k1, k2, p1, p2, k3 = camera.distortion
        pixels = []
        for x, y, z in place:
            a, b = x / z, y / z
            r2 = a * a + b * b
            radial = 1 + k1 * r2 + k2 * r2**2 + k3 * r2**3
            u = a * radial + 2 * p1 * a * b + p2 * (r2 + 2 * a * a)
            v = b * radial + p1 * (r2 + 2 * b * b) + 2 * p2 * a * b
            pixels.append((camera.matrix @ [u, v, 1.0])[:2])
        eyes.append(np.array(pixels))
    return eyes


def saddle_ring(rng, count=24, depth=60.0, half=(17.5, 14.5), saddle=1.8):
    """Stitch points on a tilted saddle with a scatter of 0.3 mm, in the left camera's frame."""
    angle = np.sort(rng.uniform(0, 2 * np.pi) + np.arange(count) * 2 * np.pi / count
                    + rng.uniform(-0.08, 0.08, count))
    ring = np.stack([half[0] * np.cos(angle), half[1] * np.sin(angle), -saddle * np.cos(2 * angle)], axis=1)
    tilt = Rotation.from_euler("xyz", rng.uniform(-20, 20, 3), degrees=True)
    return tilt.apply(ring) + rng.normal(0, 0.3, ring.shape) + [0, 0, depth]


def test_reading_what_opencv_writes(tmp_path):
    path = tmp_path / "stereo.yml"
    path.write_text(AS_OPENCV_WRITES_IT)
    calibration = read_calibration(path, SIZE)
    assert calibration.left.matrix[0, 0] == 410 and calibration.right.matrix[1, 2] == 145
    assert calibration.left.distortion.tolist() == [-0.1, 0.02, 0.001, -0.0005, 0]
    assert calibration.right.distortion.tolist() == [-0.08, 0.01, 0, 0, 0]
    assert calibration.baseline_mm == pytest.approx(np.hypot(4.5, 0.1))


def test_projection_matrices_of_rectified_pictures(tmp_path):
    path = tmp_path / "rectified.yaml"
    path.write_text("%YAML:1.0\nP1: !!opencv-matrix\n   rows: 3\n   cols: 4\n   dt: d\n"
                    "   data: [ 400., 0., 255., 0., 0., 400., 143., 0., 0., 0., 1., 0. ]\n"
                    "P2: !!opencv-matrix\n   rows: 3\n   cols: 4\n   dt: d\n"
                    "   data: [ 400., 0., 255., -1800., 0., 400., 143., 0., 0., 0., 1., 0. ]\n")
    calibration = read_calibration(path, SIZE)
    assert calibration.translation.tolist() == [-4.5, 0, 0]
    # Depth is focal length times base over disparity.
    found = triangulate(np.array([[300.0, 150.0]]), np.array([[270.0, 150.0]]), calibration)
    assert found.points[0] == pytest.approx([45 * 60 / 400, 7 * 60 / 400, 60.0])


def test_writing_and_reading_give_the_same(tmp_path):
    calibration = endoscope()
    write_calibration(tmp_path / "c.yml", calibration)
    again = read_calibration(tmp_path / "c.yml", SIZE)
    assert np.array_equal(again.left.matrix, calibration.left.matrix)
    assert np.array_equal(again.right.distortion, calibration.right.distortion)
    assert np.array_equal(again.rotation, calibration.rotation)
    assert np.array_equal(again.translation, calibration.translation)
    assert [file.name for file in tmp_path.iterdir()] == ["c.yml"]


@pytest.mark.parametrize(("old", "new", "says"), [
    ("[ 512, 288 ]", "[ 1920, 1080 ]", "1920 x 1080"),
    ("imageSize: [ 512, 288 ]\n", "", None),
    ("255.5", "960.5", "does not fit"),
    ("-4.5, 0.1, 0.", "-0.0045, 0., 0.", "give T in mm"),
    ("[ 1., 0., 0., 0., 1., 0., 0., 0., 1. ]", "[ 1., 0., 0., 0., 1., 0., 0., 0., -1. ]", "no rotation"),
    ("T: !!opencv", "Q: !!opencv", "lacks T"),
    ("4.12e+02, 0., 250., ", "", "damaged"),
    ("-0.08, 0.01, 0., 0.", "-0.08, .Nan, 0., 0.", "not finite"),
    ("M1:", "X1:", "holds no stereo calibration"),
])
def test_calibrations_that_do_not_fit_are_refused(tmp_path, old, new, says):
    assert old in AS_OPENCV_WRITES_IT
    path = tmp_path / "stereo.yml"
    path.write_text(AS_OPENCV_WRITES_IT.replace(old, new))
    if says is None:
        read_calibration(path, SIZE)
        return
    with pytest.raises(UserError, match=says):
        read_calibration(path, SIZE)


def test_files_that_are_no_text_or_absent_are_refused(tmp_path):
    with pytest.raises(UserError, match="cannot be read"):
        read_calibration(tmp_path / "none.yml", SIZE)
    (tmp_path / "picture.yml").write_bytes(b"\x89PNG\xff\xfe\x00")
    with pytest.raises(UserError, match="cannot be read"):
        read_calibration(tmp_path / "picture.yml", SIZE)


def test_undistorting_undoes_the_lens():
    camera = endoscope().left
    plane = np.random.default_rng(0).uniform(-0.6, 0.6, (50, 2)) * [1.0, 0.6]
    pixels = camera.to_pixels(camera.distorted(plane))
    assert np.abs(camera.undistorted(pixels) - plane).max() < 1e-6


def test_triangulation_is_exact_without_noise_and_knows_its_error_with_it():
    calibration = endoscope()
    rng = np.random.default_rng(1)
    points = rng.uniform([-20, -12, 45], [20, 12, 90], (40, 3))
    left, right = seen(points, calibration)
    assert np.abs(triangulate(left, right, calibration).points - points).max() < 1e-5
    gaps, promised = [], []
    for _ in range(300):
        found = triangulate(left + rng.normal(0, 0.3, left.shape), right + rng.normal(0, 0.3, right.shape),
                            calibration, 0.3)
        gaps.append(np.sum((found.points - points) ** 2, axis=1))
        promised.append(found.error_mm)
    assert np.mean(promised, axis=0) == pytest.approx(np.sqrt(np.mean(gaps, axis=0)), rel=0.15)


def test_within_seven_tenths_of_a_mm_at_60_mm_depth():
    """Noise of 0.5 px in every coordinate at 288 x 512, a base of 5 mm; alone at four times that resolution."""
    calibration, sharp = endoscope(baseline=5.0), endoscope(focal=1600.0, baseline=5.0, size=(1152, 2048))
    together, alone, fine = [], [], []
    for seed in range(25):
        rng = np.random.default_rng(seed)
        points = saddle_ring(rng)
        left, right = (pixels + rng.normal(0, 0.5, pixels.shape) for pixels in seen(points, calibration))
        found = reconstruct(left, right, calibration)
        true = points[found.matches.left]
        assert np.array_equal(found.matches.left, found.matches.right)
        together += list(np.linalg.norm(found.found.points - true, axis=1))
        alone += list(np.linalg.norm(found.measured.points - true, axis=1))
        left, right = (pixels + rng.normal(0, 0.5, pixels.shape) for pixels in seen(points, sharp))
        fine += list(np.linalg.norm(triangulate(left, right, sharp).points - points, axis=1))
    assert np.median(together) <= 0.7
    assert np.median(together) < 0.75 * np.median(alone)
    assert np.median(fine) <= 0.4


def test_partners_among_lost_and_false_points():
    right_ones = wrong = possible = 0
    for seed in range(6):
        pair = stereo_frame(seed, "simulator", (144, 256))
        rng = np.random.default_rng(seed)
        kept = [np.nonzero(eye.visible & (rng.random(len(eye.points)) < 0.9))[0] for eye in (pair.left, pair.right)]
        order = rng.permutation(len(kept[1]))
        left = pair.left.points[kept[0]] + rng.normal(0, 0.25, (len(kept[0]), 2))
        right = (pair.right.points[kept[1]] + rng.normal(0, 0.25, (len(kept[1]), 2)))[order]
        left = np.concatenate([left, rng.uniform(0, [256, 144], (2, 2))])
        names = np.concatenate([kept[0], [-1, -2]])
        found = match_eyes(left, right, pair.calibration)
        same = names[found.left] == kept[1][order][found.right]
        right_ones, wrong = right_ones + int(same.sum()), wrong + int((~same).sum())
        possible += len(np.intersect1d(*kept))
    assert right_ones > 0.95 * possible and wrong <= 0.03 * possible


def test_neighbours_on_one_row_are_not_exchanged():
    calibration = endoscope(turn_deg=0.0)
    points = np.column_stack([np.linspace(-15, 15, 21), np.zeros(21), np.linspace(62, 58, 21)])
    left, right = seen(points, calibration)
    found = match_eyes(left, right[::-1], calibration)
    assert np.array_equal(found.right, 20 - found.left) and len(found.left) == 21


def test_nothing_to_match():
    none = np.zeros((0, 2))
    assert len(match_eyes(none, np.ones((3, 2)), endoscope()).left) == 0
    answer = reconstruct(none, none, endoscope())
    assert answer.curve is None and "at least 6" in answer.why_no_curve


def test_length_of_an_ellipse_and_of_a_saddle():
    angle = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    ellipse = np.stack([18 * np.cos(angle), 14 * np.sin(angle), np.full(24, 60.0)], axis=1)
    turned = Rotation.from_euler("xyz", [0.4, -0.7, 1.0]).apply(ellipse)
    assert fit_annulus(turned).length_mm == pytest.approx(4 * 18 * ellipe(1 - (14 / 18) ** 2), rel=0.01)
    saddle = ellipse + np.stack([0 * angle, 0 * angle, 2.5 * np.cos(2 * angle)], axis=1)
    expected = quad(lambda t: np.sqrt((18 * np.sin(t)) ** 2 + (14 * np.cos(t)) ** 2 + (5 * np.sin(2 * t)) ** 2),
                    0, 2 * np.pi)[0]
    assert fit_annulus(saddle).length_mm == pytest.approx(expected, rel=0.01)


def test_the_curve_bears_noise_and_false_points():
    true = 2 * np.pi * 17
    lengths = []
    for seed in range(10):
        rng = np.random.default_rng(seed)
        angle = rng.uniform(0, 2 * np.pi) + np.linspace(0, 2 * np.pi, 26, endpoint=False)
        points = 17 * np.stack([np.cos(angle), np.sin(angle), 0 * angle], axis=1) + rng.normal(0, 0.5, (26, 3))
        points[5] += [0, 0, 9.0]
        curve = fit_annulus(points)
        assert not curve.used[5] and curve.used.sum() >= 22
        lengths.append(curve.length_mm)
        assert np.array_equal(curve.line[0], curve.line[-1])
    assert np.abs(np.array(lengths) / true - 1).max() < 0.05
    assert abs(np.mean(lengths) / true - 1) < 0.02


def test_rings_that_would_be_guesses_are_refused():
    angle = np.linspace(0, np.pi, 12)
    half = 15 * np.stack([np.cos(angle), np.sin(angle), 0 * angle], axis=1)
    with pytest.raises(UserError, match="degrees of the ring"):
        fit_annulus(half)
    with pytest.raises(UserError, match="at least 6"):
        fit_annulus(half[:5])
    with pytest.raises(UserError, match="one line"):
        fit_annulus(np.linspace([0, 0, 50], [20, 5, 55], 10))


def test_gaps_and_widths_along_a_circle():
    angle = np.radians([0, 12, 40, 55, 100, 110, 160, 170, 220, 235, 290, 300, 340, 352])
    points = 16 * np.stack([np.cos(angle), np.sin(angle), 0 * angle], axis=1)
    shuffled = np.random.default_rng(2).permutation(len(points))
    pairs = (np.arange(14) // 2)[shuffled]
    spacing = stitch_spacing(fit_annulus(points[shuffled]), points[shuffled], pairs)
    around = shuffled[spacing.order]
    steps = np.diff(np.append(around, around[0]))
    assert set(steps.tolist()) in ({1, -13}, {-1, 13})  # once round, one way or the other
    both = np.sort(np.array([spacing.to_next_mm]).ravel())
    assert both == pytest.approx(np.sort(16 * np.diff(np.append(angle, 2 * np.pi))), rel=0.03, abs=0.05)
    assert spacing.widths_mm[0] == pytest.approx(16 * np.radians(12), rel=0.03)
    assert spacing.widths_mm[6] == pytest.approx(16 * np.radians(12), rel=0.03)
