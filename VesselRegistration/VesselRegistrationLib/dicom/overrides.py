"""What the user says about the geometry where the header is silent or wrong."""

import math
from dataclasses import dataclass

from ..errors import UserError
from ..geometry.carm import PRIMARY_LIMIT_DEG, SECONDARY_LIMIT_DEG

GIVEN_BY_USER = "given by the user"
LARGEST_DISTANCE_MM = 3000.0
SMALLEST_SPACING_MM = 0.01
LARGEST_SPACING_MM = 5.0


def check_angle(name: str, value: float, limit_deg: float, option: str, origin: str) -> None:
    """Refuse an angle that is not a number or beyond its limit (raises UserError). ``origin`` says where it stands."""
    if not math.isfinite(value) or abs(value) > limit_deg:
        raise UserError(f"The {name} of {value:g} deg ({origin}) is impossible: give one between -{limit_deg:g} and "
                        f"{limit_deg:g} with {option} DEG.")


def check_distance(name: str, value: float, option: str, origin: str) -> None:
    """Refuse a distance that is not a positive number of millimetres (raises UserError)."""
    if not math.isfinite(value) or not 0 < value <= LARGEST_DISTANCE_MM:
        raise UserError(f"The {name} of {value:g} mm ({origin}) is impossible: give one above 0 and up to "
                        f"{LARGEST_DISTANCE_MM:g} with {option} MM.")


def check_spacing(value: float, origin: str) -> None:
    """Refuse a pixel spacing that no detector has (raises UserError)."""
    if not math.isfinite(value) or not SMALLEST_SPACING_MM <= value <= LARGEST_SPACING_MM:
        raise UserError(f"The imager pixel spacing of {value:g} mm ({origin}) is impossible: give the spacing at the "
                        f"detector, between {SMALLEST_SPACING_MM:g} and {LARGEST_SPACING_MM:g}, "
                        "with --pixel-spacing MM.")


def check_distances_fit(sid_mm: float, sod_mm: float) -> None:
    """Refuse a patient that does not lie between source and detector (raises UserError)."""
    if sod_mm >= sid_mm:
        raise UserError(f"The distances SID {sid_mm:g} mm and SOD {sod_mm:g} mm are impossible: the patient lies "
                        "between source and detector, so give an SOD below the SID with --sid MM and --sod MM.")


@dataclass(frozen=True)
class GeometryOverrides:
    """Values that win over the header's: degrees and millimetres, None where the header shall speak.

    ``pixel_spacing_mm`` is the spacing at the detector, for rows and columns alike. Raises UserError where a value is
    impossible or not a number.
    """

    primary_angle_deg: float | None = None
    secondary_angle_deg: float | None = None
    sid_mm: float | None = None
    sod_mm: float | None = None
    pixel_spacing_mm: float | None = None

    def __post_init__(self) -> None:
        """Check every value that was given."""
        if self.primary_angle_deg is not None:
            check_angle("primary angle", self.primary_angle_deg, PRIMARY_LIMIT_DEG, "--primary", GIVEN_BY_USER)
        if self.secondary_angle_deg is not None:
            check_angle("secondary angle", self.secondary_angle_deg, SECONDARY_LIMIT_DEG, "--secondary", GIVEN_BY_USER)
        if self.sid_mm is not None:
            check_distance("source to detector distance", self.sid_mm, "--sid", GIVEN_BY_USER)
        if self.sod_mm is not None:
            check_distance("source to patient distance", self.sod_mm, "--sod", GIVEN_BY_USER)
        if self.sid_mm is not None and self.sod_mm is not None:
            check_distances_fit(self.sid_mm, self.sod_mm)
        if self.pixel_spacing_mm is not None:
            check_spacing(self.pixel_spacing_mm, GIVEN_BY_USER)
