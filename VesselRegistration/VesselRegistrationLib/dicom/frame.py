"""What one XA frame says: pixels in order of attenuation, and the geometry of its header."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

import numpy as np

from ..errors import UserError
from ..geometry.carm import CArmView


@dataclass(frozen=True)
class HeaderGeometry:
    """C-arm geometry as far as header and user give it; None where neither does.

    ``sources`` names for every value where it came from, e.g. ``(0018,1510)`` or ``given by the user``.
    """

    primary_angle_deg: float | None = None
    secondary_angle_deg: float | None = None
    sid_mm: float | None = None
    sod_mm: float | None = None
    row_spacing_mm: float | None = None
    column_spacing_mm: float | None = None
    detector_rotation_deg: float = 0.0
    table_shift_mm: tuple[float, float, float] = (0.0, 0.0, 0.0)
    principal_point: tuple[float, float] | None = None
    image_rotation_deg: int = 0
    horizontal_flip: bool = False
    sources: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    def missing(self) -> list[str]:
        """What still has to be given, in words, each with the option that gives it."""
        needed = {
            "primary angle (--primary DEG)": self.primary_angle_deg,
            "secondary angle (--secondary DEG)": self.secondary_angle_deg,
            "source to detector distance (--sid MM)": self.sid_mm,
            "source to patient distance (--sod MM)": self.sod_mm,
            "imager pixel spacing (--pixel-spacing MM)": self.row_spacing_mm,
        }
        return [name for name, value in needed.items() if value is None]


@dataclass(frozen=True)
class XAFrame:
    """One frame of an XA object.

    ``attenuation`` (rows, columns) float32, read-only: larger means more attenuation, whatever the file's polarity.
    Its unit is -ln(I/I0) where ``intensity_relationship`` is LIN, the file's log units where LOG, and display levels
    where DISP. ``usable`` (rows, columns) bool: False behind shutters and collimators. ``frame_number`` is 0-based.
    """

    path: Path
    frame_number: int
    frame_count: int
    attenuation: np.ndarray
    usable: np.ndarray
    intensity_relationship: str
    geometry: HeaderGeometry
    subtracted: bool = False
    frame_time_ms: float | None = None
    body_part: str = ""
    sop_instance_uid: str = ""

    def view(self) -> CArmView:
        """The C-arm view of this frame. Raises UserError naming everything that is missing or impossible."""
        geometry = self.geometry
        missing = geometry.missing()
        if missing:
            raise UserError(f"{self.path.name} does not say its {', '.join(missing)}: give what is missing.")
        rows, columns = self.attenuation.shape
        return CArmView(
            primary_angle_deg=geometry.primary_angle_deg,  # type: ignore[arg-type]
            secondary_angle_deg=geometry.secondary_angle_deg,  # type: ignore[arg-type]
            sid_mm=geometry.sid_mm,  # type: ignore[arg-type]
            sod_mm=geometry.sod_mm,  # type: ignore[arg-type]
            rows=rows,
            columns=columns,
            row_spacing_mm=geometry.row_spacing_mm,  # type: ignore[arg-type]
            column_spacing_mm=geometry.column_spacing_mm,  # type: ignore[arg-type]
            detector_rotation_deg=geometry.detector_rotation_deg,
            table_shift_mm=geometry.table_shift_mm,
            principal_point=geometry.principal_point,
            image_rotation_deg=geometry.image_rotation_deg,
            horizontal_flip=geometry.horizontal_flip,
        )
