"""An X-ray machine built from what DICOM says in words, to judge the geometry by. It shares nothing with it.

Everything is in LPS mm: a point source, a flat panel whose every pixel has a place in the room, and the delivered
image as the panel's pixels turned and mirrored as an array is. A point is found in the image where the line from the
source through the point meets the panel.
"""

from dataclasses import dataclass

import numpy as np

LEFT, POSTERIOR, HEAD = np.eye(3)
RAS_FROM_LPS = np.array([-1.0, -1.0, 1.0])


@dataclass(frozen=True)
class XRayMachine:
    """``rows`` and ``columns``, the spacings and ``centre`` (col, row) of the central ray are those of the panel,
    before the image is turned clockwise by ``quarter_turns`` and then mirrored left to right."""

    primary_deg: float = 0.0
    secondary_deg: float = 0.0
    panel_rotation_deg: float = 0.0
    sid: float = 1100.0
    sod: float = 760.0
    rows: int = 120
    columns: int = 160
    row_spacing: float = 2.0
    column_spacing: float = 1.5
    centre: tuple[int, int] | None = None
    quarter_turns: int = 0
    mirrored: bool = False
    patient_moved: tuple[float, float, float] = (0.0, 0.0, 0.0)

    @property
    def towards_detector(self) -> np.ndarray:
        """At 0/0 the detector is in front of the chest; primary + brings it to the left, secondary + to the head."""
        a, b = np.deg2rad([self.primary_deg, self.secondary_deg])
        return np.cos(b) * (np.sin(a) * LEFT - np.cos(a) * POSTERIOR) + np.sin(b) * HEAD

    @property
    def panel_axes(self) -> tuple[np.ndarray, np.ndarray]:
        """The ways in which the detector would move with growing primary angle, and with shrinking secondary angle:
        to the patient's left and to the feet at 0/0. Then the panel is turned clockwise as seen from the source."""
        a, b, g = np.deg2rad([self.primary_deg, self.secondary_deg, self.panel_rotation_deg])
        right = np.cos(a) * LEFT + np.sin(a) * POSTERIOR
        down = np.sin(b) * (np.sin(a) * LEFT - np.cos(a) * POSTERIOR) - np.cos(b) * HEAD
        return np.cos(g) * right - np.sin(g) * down, np.cos(g) * down + np.sin(g) * right

    @property
    def source(self) -> np.ndarray:
        return -self.sod * self.towards_detector

    @property
    def detector_centre(self) -> np.ndarray:
        return (self.sid - self.sod) * self.towards_detector

    def _delivered(self, panel: np.ndarray) -> np.ndarray:
        image = np.rot90(panel, k=-self.quarter_turns)
        return image[:, ::-1] if self.mirrored else image

    def pixel_places(self) -> np.ndarray:
        """Where the centre of every pixel of the delivered image is in the room, (rows, columns, 3)."""
        right, down = self.panel_axes
        middle = self.centre or ((self.columns - 1) / 2, (self.rows - 1) / 2)
        col = (np.arange(self.columns) - middle[0]) * self.column_spacing
        row = (np.arange(self.rows) - middle[1]) * self.row_spacing
        return self._delivered(self.detector_centre + col[None, :, None] * right + row[:, None, None] * down)

    def central_pixel(self) -> tuple[float, float] | None:
        """The delivered image's pixel (col, row) of the central ray, where it is not simply the middle."""
        if self.centre is None:
            return None
        panel = np.zeros((self.rows, self.columns), bool)
        panel[self.centre[1], self.centre[0]] = True
        row, col = np.argwhere(self._delivered(panel))[0]
        return float(col), float(row)

    def see(self, points_ras: np.ndarray) -> np.ndarray:
        """Pixels (N, 2) as (col, row) at which points (N, 3), RAS mm in the patient, appear in the delivered image."""
        points = np.asarray(points_ras) * RAS_FROM_LPS + np.asarray(self.patient_moved) * RAS_FROM_LPS
        places = self.pixel_places()
        origin, step_col, step_row = places[0, 0], places[0, 1] - places[0, 0], places[1, 0] - places[0, 0]
        rays = points - self.source
        steps = (np.broadcast_to(step, rays.shape) for step in (step_col, step_row))
        system = np.stack([*steps, -rays], axis=-1)
        return np.linalg.solve(system, np.broadcast_to(self.source - origin, rays.shape)[..., None])[:, :2, 0]

    def chord_image(self, centre_ras: np.ndarray, radius: float) -> np.ndarray:
        """Image of a ball: the length inside it of the ray through every pixel, mm."""
        centre = np.asarray(centre_ras) * RAS_FROM_LPS + np.asarray(self.patient_moved) * RAS_FROM_LPS
        rays = self.pixel_places() - self.source
        rays /= np.linalg.norm(rays, axis=-1, keepdims=True)
        to_centre = centre - self.source
        along = rays @ to_centre
        return 2 * np.sqrt(np.maximum(radius**2 - (to_centre @ to_centre - along**2), 0))

    def view_parameters(self) -> dict:
        """The same machine in the words of CArmView."""
        rows, columns = self._delivered(np.zeros((self.rows, self.columns))).shape
        spacings = (self.row_spacing, self.column_spacing)
        row_spacing, column_spacing = spacings[::-1] if self.quarter_turns % 2 else spacings
        return {"primary_angle_deg": self.primary_deg, "secondary_angle_deg": self.secondary_deg, "sid_mm": self.sid,
                "sod_mm": self.sod, "rows": rows, "columns": columns, "row_spacing_mm": row_spacing,
                "column_spacing_mm": column_spacing, "detector_rotation_deg": self.panel_rotation_deg,
                "table_shift_mm": self.patient_moved, "principal_point": self.central_pixel(),
                "image_rotation_deg": 90 * self.quarter_turns, "horizontal_flip": self.mirrored}


def machines() -> list[XRayMachine]:
    """Angles, distances, spacings, table moves, panel rotations, image turns and mirrors, each alone and together."""
    alone = [XRayMachine(), *(XRayMachine(a, b) for a, b in ((30, 0), (-35, 0), (0, 25), (0, -30), (90, 0), (-90, 0),
                                                              (50, -25), (-110, 20), (170, 40), (15, 90), (20, -90)))]
    alone += [XRayMachine(25, 15, sid=980, sod=560), XRayMachine(25, 15, row_spacing=1.1, column_spacing=2.7),
              XRayMachine(-20, 10, rows=81, columns=64), XRayMachine(-20, 10, centre=(40, 90)),
              *(XRayMachine(25, 15, patient_moved=move) for move in ((40, 0, 0), (0, -35, 0), (0, 0, 60))),
              *(XRayMachine(25, 15, panel_rotation_deg=angle) for angle in (12, -40)),
              *(XRayMachine(25, 15, quarter_turns=turns, mirrored=mirror) for turns in range(4) for mirror in (0, 1))]
    random = np.random.default_rng(20)
    mixed = [XRayMachine(*random.uniform([-180, -90, -45], [180, 90, 45]), sid=random.uniform(900, 1300),
                         sod=random.uniform(500, 850), rows=int(random.integers(60, 200)),
                         columns=int(random.integers(60, 200)), row_spacing=random.uniform(0.5, 3),
                         column_spacing=random.uniform(0.5, 3),
                         centre=(int(random.integers(20, 60)), int(random.integers(20, 60))),
                         quarter_turns=int(random.integers(4)), mirrored=bool(random.integers(2)),
                         patient_moved=tuple(random.uniform(-60, 60, 3))) for _ in range(12)]
    return alone + mixed
