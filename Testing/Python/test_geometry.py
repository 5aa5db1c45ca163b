"""The C-arm's geometry against an independent ray caster, and against every way of getting it wrong."""

from types import ModuleType, SimpleNamespace

import geometry_mutations
import numpy as np
import pytest
from carm_raycaster import RAS_FROM_LPS, XRayMachine, machines
from VesselRegistrationLib.errors import UserError
from VesselRegistrationLib.geometry import carm
from VesselRegistrationLib.geometry.carm import CArmView

TOLERANCE_PX = 0.02
MACHINES = machines()
POINTS = np.random.default_rng(7).uniform(-125, 125, (12, 3))
GEOMETRY = {"_QUARTER_TURN", "rotation", "beam_direction", "detector_axes", "image_axes", "source", "detector_centre",
            "central_pixel", "isocentre_spacing_mm", "intrinsic_matrix", "world_to_camera", "projection_matrix",
            "project", "ray_directions", "back_project", "resampled"}


def worst_px(module: ModuleType | SimpleNamespace, cases: list[XRayMachine]) -> float:
    """The largest disagreement in pixels of any part of the module's CArmView with the ray caster."""
    return max(max(parts_px(module.CArmView(**machine.view_parameters()), machine).values()) for machine in cases)


def parts_px(view: CArmView, machine: XRayMachine) -> dict[str, float]:
    """Disagreement of each part of a view with the ray caster, in pixels (places in mm per mm of pixel)."""
    seen = machine.see(POINTS)
    pixels, depths = view.project(POINTS)
    moved = np.asarray(machine.patient_moved)
    source = machine.source * RAS_FROM_LPS - moved
    finest = min(machine.row_spacing, machine.column_spacing)
    rays = POINTS - source
    rays /= np.linalg.norm(rays, axis=1, keepdims=True)
    small = view.resampled(rows=3 * view.rows, columns=view.columns // 2)
    stretched = (seen + 0.5) * [small.columns / view.columns, 3] - 0.5
    places = machine.pixel_places() * RAS_FROM_LPS
    at_isocentre = [np.linalg.norm(step) * machine.sod / machine.sid
                    for step in (places[0, 1] - places[0, 0], places[1, 0] - places[0, 0])]
    return {
        "project": np.abs(pixels - seen).max(),
        "depth": np.abs(depths - (POINTS - source) @ (machine.towards_detector * RAS_FROM_LPS)).max() / finest,
        "ray_directions": np.linalg.norm(view.ray_directions(seen) - rays, axis=1).max() * machine.sid / finest,
        "back_project": np.abs(view.back_project(seen, depths) - POINTS).max() / finest,
        "source": np.abs(view.source - source).max() / finest,
        "detector_centre": np.abs(view.detector_centre - machine.detector_centre * RAS_FROM_LPS + moved).max() / finest,
        "resampled": np.abs(small.project(POINTS)[0] - stretched).max(),
        "isocentre_spacing": 500 * abs(view.isocentre_spacing_mm / np.mean(at_isocentre) - 1),
    }


@pytest.mark.parametrize("machine", MACHINES, ids=range(len(MACHINES)))
def test_agrees_with_the_ray_caster(machine: XRayMachine) -> None:
    parts = parts_px(CArmView(**machine.view_parameters()), machine)
    assert max(parts.values()) <= TOLERANCE_PX, parts


FINE = {"rows": 400, "columns": 440, "row_spacing": 0.6, "column_spacing": 0.5}


@pytest.mark.parametrize("machine", [XRayMachine(-32, 22, patient_moved=(15, -20, 30), centre=(200, 190), **FINE),
                                     XRayMachine(40, -18, 10, quarter_turns=1, mirrored=True, **FINE)],
                         ids=["moved", "turned"])
@pytest.mark.parametrize("ball", [(30, -20, 35), (-25, 30, -15)])
def test_balls_are_seen_where_they_are_projected(machine: XRayMachine, ball: tuple[float, float, float]) -> None:
    """Rays cast through all pixels of the image, and the middle of the ball's picture."""
    picture = machine.chord_image(ball, radius=4.0)
    row, col = np.indices(picture.shape)
    middle = np.array([(col * picture).sum(), (row * picture).sum()]) / picture.sum()
    pixel = CArmView(**machine.view_parameters()).project(np.array([ball]))[0][0]
    assert np.abs(pixel - middle).max() <= TOLERANCE_PX


MISTAKES = {
    "source in front of the patient": ("return self.rotation @ np.array([0.0, 1.0, 0.0])",
                                       "return self.rotation @ np.array([0.0, -1.0, 0.0])"),
    "secondary sign flipped": ("[self.primary_angle_deg, self.secondary_angle_deg,",
                               "[self.primary_angle_deg, -self.secondary_angle_deg,"),
    "primary sign flipped": ("[self.primary_angle_deg, self.secondary_angle_deg,",
                             "[-self.primary_angle_deg, self.secondary_angle_deg,"),
    "angles swapped": ("[self.primary_angle_deg, self.secondary_angle_deg,",
                       "[self.secondary_angle_deg, self.primary_angle_deg,"),
    "rotations in the other order": ('"ZXY"', '"zxy"'),
    "detector rotation the other way": ("self.secondary_angle_deg, self.detector_rotation_deg]",
                                        "self.secondary_angle_deg, -self.detector_rotation_deg]"),
    "rotation transposed": ("degrees=True).as_matrix()", "degrees=True).as_matrix().T"),
    "spacing at the isocentre with SID": ("self.sid_mm / self.column_spacing_mm, 0.0, col",
                                          "self.sod_mm / self.column_spacing_mm, 0.0, col"),
    "row and column spacing swapped": ("self.sid_mm / self.row_spacing_mm, row",
                                       "self.sid_mm / self.column_spacing_mm, row"),
    "half a pixel": ("((self.columns - 1) / 2, (self.rows - 1) / 2)", "(self.columns / 2, self.rows / 2)"),
    "half a pixel when resampling": ("(col + 0.5) / column_factor - 0.5", "col / column_factor"),
    "centre swapped": ("col, row = self.central_pixel\n        return np.array", "row, col = self.central_pixel\n"
                       "        return np.array"),
    "table shift sign": ("axes @ np.asarray(self.table_shift_mm) +", "-axes @ np.asarray(self.table_shift_mm) +"),
    "table shift in camera axes": ("axes @ np.asarray(self.table_shift_mm) +", "np.asarray(self.table_shift_mm) +"),
    "table shift ignored by the source": ("return -self.sod_mm * self.beam_direction - np.asarray(self.table_shift_mm)",
                                          "return -self.sod_mm * self.beam_direction"),
    "flip before rotation": ("flip @ turn @ self.detector_axes", "turn @ flip @ self.detector_axes"),
    "flip forgotten": ("-1.0 if self.horizontal_flip else 1.0", "1.0"),
    "flip of rows": ("np.diag([-1.0 if self.horizontal_flip else 1.0, 1.0])",
                     "np.diag([1.0, -1.0 if self.horizontal_flip else 1.0])"),
    "image turned counter-clockwise": ("[[0.0, -1.0], [1.0, 0.0]]", "[[0.0, 1.0], [-1.0, 0.0]]"),
    "seen from the source": ("np.array([[-1.0, 0.0], [0.0, 0.0], [0.0, -1.0]])",
                             "np.array([[1.0, 0.0], [0.0, 0.0], [0.0, -1.0]])"),
    "upside down": ("np.array([[-1.0, 0.0], [0.0, 0.0], [0.0, -1.0]])",
                    "np.array([[-1.0, 0.0], [0.0, 0.0], [0.0, 1.0]])"),
    "depth from the isocentre": ("np.array([0.0, 0.0, self.sod_mm])", "np.array([0.0, 0.0, 0.0])"),
    "depth to the detector": ("np.array([0.0, 0.0, self.sod_mm])", "np.array([0.0, 0.0, self.sid_mm])"),
    "no perspective divide": ("homogeneous[:, :2] / depth[:, None]", "homogeneous[:, :2] / self.sod_mm"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_classic_mistake_is_noticed(mistake: str) -> None:
    right, wrong = MISTAKES[mistake]
    source = geometry_mutations.source_of(carm)
    assert right in source, "the mistake has to be put into the new wording of the geometry"
    assert worst_px(geometry_mutations.load(source.replace(right, wrong), carm), MACHINES) > 10 * TOLERANCE_PX


def test_every_sign_axis_and_order_mutation_is_noticed() -> None:
    """All machine-made single changes to the module; a change that raises an error is noticed as well."""
    unnoticed, disagreeing = [], 0
    for what, source in geometry_mutations.mutants(carm, GEOMETRY):
        try:
            with np.errstate(all="ignore"):
                worst = worst_px(geometry_mutations.load(source, carm), MACHINES)
        except Exception:
            continue
        if worst <= TOLERANCE_PX:
            unnoticed.append(what)
        disagreeing += not worst <= TOLERANCE_PX
    assert not unnoticed
    assert disagreeing >= 60


def test_check_accepts_the_unchanged_module() -> None:
    """Otherwise the mutation tests would prove nothing."""
    unchanged = geometry_mutations.load(geometry_mutations.source_of(carm), carm)
    assert worst_px(unchanged, MACHINES) <= TOLERANCE_PX


def view(primary: float = 0.0, secondary: float = 0.0, **changes: object) -> CArmView:
    parameters = {"primary_angle_deg": primary, "secondary_angle_deg": secondary, "sid_mm": 1100.0, "sod_mm": 760.0,
                  "rows": 512, "columns": 512, "row_spacing_mm": 0.4, "column_spacing_mm": 0.4}
    return CArmView(**{**parameters, **changes})


def direction(vector: np.ndarray) -> str:
    """The patient's side to which a RAS vector mostly points."""
    axis = int(np.argmax(np.abs(vector)))
    return ("RL", "AP", "SI")[axis][0 if vector[axis] > 0 else 1]


@pytest.mark.parametrize(("primary", "right", "detector"),
                         [(0, "L", "A"), (90, "P", "L"), (-90, "A", "R"), (180, "R", "P")])
def test_clinical_words_for_the_primary_angle(primary: float, right: str, detector: str) -> None:
    """DICOM's Patient Orientation of such images: L/F, P/F, A/F, R/F."""
    assert direction(view(primary).image_axes[0]) == right
    assert direction(view(primary).image_axes[1]) == "I"
    assert direction(view(primary).detector_centre) == detector
    assert direction(-view(primary).source) == detector


def test_clinical_words_for_the_secondary_angle() -> None:
    assert view(0, 30).beam_direction[2] > 0.4
    assert view(0, -30).beam_direction[2] < -0.4
    assert direction(view(0, 90).detector_centre) == "S"
    assert view(30, 20).clinical_angles == "LAO 30 / CRA 20"
    assert view(-15.5, -10).clinical_angles == "RAO 15.5 / CAU 10"


def test_image_is_looked_at_from_the_detector() -> None:
    for angles in ((0, 0), (33, -21), (-120, 44)):
        axes = np.vstack([view(*angles).image_axes, view(*angles).beam_direction])
        assert np.linalg.det(axes) == pytest.approx(-1)


def test_nearer_to_the_source_is_larger() -> None:
    """An object at the back of a supine patient is nearer to the source under the table."""
    back, front = (view().project(np.array([[-10.0, y, 0.0]]))[0][0, 0] - 255.5 for y in (-100.0, 100.0))
    assert back > front > 0
    assert back == pytest.approx(10 * 1100 / 660 / 0.4)


@pytest.mark.parametrize("change", [
    {"primary": 181.0}, {"primary": -200.0}, {"secondary": 91.0}, {"primary": np.nan}, {"sid_mm": np.inf},
    {"sid_mm": 700.0}, {"sod_mm": 0.0}, {"sod_mm": -760.0}, {"sid_mm": 5000.0}, {"row_spacing_mm": 0.0},
    {"column_spacing_mm": -0.4}, {"row_spacing_mm": 40.0}, {"rows": 1}, {"image_rotation_deg": 45},
    {"table_shift_mm": (0.0, np.nan, 0.0)}])
def test_impossible_geometry_is_refused_in_one_sentence(change: dict[str, float]) -> None:
    with pytest.raises(UserError) as refusal:
        view(**change)
    text = str(refusal.value)
    assert text.endswith(".") and text.count(". ") == 0 and len(text) > 30


def test_view_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        view().sid_mm = 1.0  # type: ignore[misc]
