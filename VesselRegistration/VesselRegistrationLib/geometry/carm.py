"""The perspective geometry of one C-arm view.

World frame: RAS axes of the supine patient, origin at the isocentre, millimetres. Pixel coordinates are (col, row),
0-based, whole numbers at pixel centres. At angles 0/0 the detector is in front of the chest and the source behind.

References: DICOM PS3.3 C.8.7.5 (XA positioner), C.8.19.6.13 (isocentre reference system), PS3.17 FFF.2.1.5.
"""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from scipy.spatial.transform import Rotation

from ..errors import UserError

PRIMARY_LIMIT_DEG = 180.0
SECONDARY_LIMIT_DEG = 90.0
SMALLEST_SPACING_MM = 0.01
LARGEST_DETECTOR_MM = 1000.0

_QUARTER_TURN = np.array([[0.0, -1.0], [1.0, 0.0]])


@dataclass(frozen=True)
class CArmView:
    """One exposure: where source and detector stand about the patient, and how the detector becomes an image.

    Angles are those of DICOM: the detector about the patient, primary + = LAO, secondary + = cranial. Spacings are
    those of Imager Pixel Spacing, at the detector. ``table_shift_mm`` is how far the patient has moved with the table
    (RAS mm) since the world frame was fixed. ``principal_point`` is the pixel (col, row) of the central ray; the
    image's centre where not given. ``image_rotation_deg`` (clockwise, multiples of 90) and then ``horizontal_flip``
    were applied to the detector's image.
    """

    primary_angle_deg: float
    secondary_angle_deg: float
    sid_mm: float
    sod_mm: float
    rows: int
    columns: int
    row_spacing_mm: float
    column_spacing_mm: float
    detector_rotation_deg: float = 0.0
    table_shift_mm: tuple[float, float, float] = (0.0, 0.0, 0.0)
    principal_point: tuple[float, float] | None = None
    image_rotation_deg: int = 0
    horizontal_flip: bool = False

    def __post_init__(self) -> None:
        """Refuse a geometry that no C-arm can have (raises UserError)."""
        numbers = (self.primary_angle_deg, self.secondary_angle_deg, self.sid_mm, self.sod_mm, self.row_spacing_mm,
                   self.column_spacing_mm, self.detector_rotation_deg, *self.table_shift_mm)
        if not np.all(np.isfinite(numbers)):
            raise UserError("The C-arm geometry holds a value that is not a number; give it by hand.")
        if abs(self.primary_angle_deg) > PRIMARY_LIMIT_DEG:
            raise UserError(f"The primary angle {self.primary_angle_deg:g} deg is impossible: "
                            "give one between -180 (RAO) and 180 (LAO).")
        if abs(self.secondary_angle_deg) > SECONDARY_LIMIT_DEG:
            raise UserError(f"The secondary angle {self.secondary_angle_deg:g} deg is impossible: "
                            "give one between -90 (caudal) and 90 (cranial).")
        if not 0 < self.sod_mm < self.sid_mm <= 3000:
            raise UserError(f"The distances SID {self.sid_mm:g} mm and SOD {self.sod_mm:g} mm are impossible: "
                            "the patient lies between source and detector, 0 < SOD < SID <= 3000.")
        if min(self.row_spacing_mm, self.column_spacing_mm) < SMALLEST_SPACING_MM or max(
                self.rows * self.row_spacing_mm, self.columns * self.column_spacing_mm) > LARGEST_DETECTOR_MM:
            raise UserError(f"The imager pixel spacing {self.row_spacing_mm:g} x {self.column_spacing_mm:g} mm is "
                            f"impossible for {self.columns} x {self.rows} pixels: give the spacing at the detector "
                            f"in mm, at least {SMALLEST_SPACING_MM:g}, with no detector side over "
                            f"{LARGEST_DETECTOR_MM:g} mm.")
        if self.rows < 2 or self.columns < 2:
            raise UserError(f"An image of {self.columns} x {self.rows} pixels cannot be registered.")
        if self.image_rotation_deg not in (0, 90, 180, 270):
            raise UserError(f"A field of view rotated by {self.image_rotation_deg} deg is not supported: "
                            "only quarter turns are.")

    @cached_property
    def rotation(self) -> np.ndarray:
        """R = Rz(primary) Rx(secondary) Ry(detector rotation), 3x3, which turns the C-arm from its 0/0 place."""
        angles = [self.primary_angle_deg, self.secondary_angle_deg, self.detector_rotation_deg]
        return Rotation.from_euler("ZXY", angles, degrees=True).as_matrix()

    @property
    def beam_direction(self) -> np.ndarray:
        """Unit vector n from source to detector centre (3,), RAS."""
        return self.rotation @ np.array([0.0, 1.0, 0.0])

    @property
    def detector_axes(self) -> np.ndarray:
        """Unit vectors e_u (patient left at 0/0) and e_v (feet at 0/0) of the detector plane, (2, 3), RAS."""
        return (self.rotation @ np.array([[-1.0, 0.0], [0.0, 0.0], [0.0, -1.0]])).T

    @property
    def image_axes(self) -> np.ndarray:
        """Unit vectors in which col and row grow, (2, 3), RAS: the detector axes after image rotation and flip."""
        turn = np.linalg.matrix_power(_QUARTER_TURN, self.image_rotation_deg // 90)
        flip = np.diag([-1.0 if self.horizontal_flip else 1.0, 1.0])
        return flip @ turn @ self.detector_axes

    @property
    def source(self) -> np.ndarray:
        """X-ray source (3,), world mm. The world goes with the patient, so a table shift moves it the other way."""
        return -self.sod_mm * self.beam_direction - np.asarray(self.table_shift_mm)

    @property
    def detector_centre(self) -> np.ndarray:
        """Where the central ray meets the detector (3,), world mm."""
        return (self.sid_mm - self.sod_mm) * self.beam_direction - np.asarray(self.table_shift_mm)

    @property
    def central_pixel(self) -> tuple[float, float]:
        """Pixel (col, row) of the central ray."""
        return self.principal_point or ((self.columns - 1) / 2, (self.rows - 1) / 2)

    @property
    def isocentre_spacing_mm(self) -> float:
        """Size of a pixel (mean of both directions) at the isocentre, mm."""
        return 0.5 * (self.row_spacing_mm + self.column_spacing_mm) * self.sod_mm / self.sid_mm

    @cached_property
    def intrinsic_matrix(self) -> np.ndarray:
        """K (3x3): camera coordinates (mm along the image axes, depth from the source) to (col, row, 1) times depth."""
        col, row = self.central_pixel
        return np.array([[self.sid_mm / self.column_spacing_mm, 0.0, col],
                         [0.0, self.sid_mm / self.row_spacing_mm, row],
                         [0.0, 0.0, 1.0]])

    @cached_property
    def world_to_camera(self) -> np.ndarray:
        """4x4: world mm to camera mm (image col direction, image row direction, depth from the source)."""
        axes = np.vstack([self.image_axes, self.beam_direction])
        matrix = np.eye(4)
        matrix[:3, :3] = axes
        matrix[:3, 3] = axes @ np.asarray(self.table_shift_mm) + np.array([0.0, 0.0, self.sod_mm])
        return matrix

    @cached_property
    def projection_matrix(self) -> np.ndarray:
        """P (3x4): world mm (homogeneous) to (col, row, 1) times the depth from the source in mm."""
        return self.intrinsic_matrix @ self.world_to_camera[:3]

    def project(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Project world points (N, 3) mm to pixels (N, 2) as (col, row) and depths from the source (N,) mm."""
        points = np.asarray(points)
        homogeneous = points @ self.projection_matrix[:, :3].T + self.projection_matrix[:, 3]
        depth = homogeneous[:, 2]
        return homogeneous[:, :2] / depth[:, None], depth

    def ray_directions(self, pixels: np.ndarray) -> np.ndarray:
        """Unit directions (N, 3), world, of the rays from the source through pixels (N, 2) given as (col, row)."""
        pixels = np.asarray(pixels, dtype=float)
        camera = np.column_stack([pixels, np.ones(len(pixels))]) @ np.linalg.inv(self.intrinsic_matrix).T
        rays = camera @ self.world_to_camera[:3, :3]
        return rays / np.linalg.norm(rays, axis=1, keepdims=True)

    def back_project(self, pixels: np.ndarray, depth_mm: float | np.ndarray) -> np.ndarray:
        """World points (N, 3) mm that project to pixels (N, 2) at depths (scalar or (N,)) mm from the source."""
        pixels = np.asarray(pixels, dtype=float)
        camera = np.column_stack([pixels, np.ones(len(pixels))]) @ np.linalg.inv(self.intrinsic_matrix).T
        camera *= np.broadcast_to(depth_mm, len(pixels))[:, None]
        to_world = np.linalg.inv(self.world_to_camera)
        return camera @ to_world[:3, :3].T + to_world[:3, 3]

    def resampled(self, rows: int, columns: int) -> "CArmView":
        """The same view on an image of the same detector area with another number of pixels."""
        row_factor, column_factor = self.rows / rows, self.columns / columns
        col, row = self.central_pixel
        return replace(self, rows=rows, columns=columns, row_spacing_mm=self.row_spacing_mm * row_factor,
                       column_spacing_mm=self.column_spacing_mm * column_factor,
                       principal_point=((col + 0.5) / column_factor - 0.5, (row + 0.5) / row_factor - 0.5))

    @property
    def clinical_angles(self) -> str:
        """The angles in the clinic's words, e.g. ``LAO 30 / CRA 20``."""
        return angle_words(self.primary_angle_deg, self.secondary_angle_deg)


def angle_words(primary_deg: float, secondary_deg: float) -> str:
    """Angles in the clinic's words: LAO and cranial positive."""
    return (f"{'RAO' if primary_deg < 0 else 'LAO'} {round(abs(primary_deg), 1):g} / "
            f"{'CAU' if secondary_deg < 0 else 'CRA'} {round(abs(secondary_deg), 1):g}")
