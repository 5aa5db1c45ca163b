"""Positioner angles of one frame (PS3.3 C.8.7.5 and C.8.19.6.10)."""

from dataclasses import dataclass

import numpy as np
from scipy.spatial.transform import Rotation

from ..errors import UserError
from ..geometry.carm import PRIMARY_LIMIT_DEG, SECONDARY_LIMIT_DEG
from .isocentre import IsocentreSystem, read_isocentre_system
from .lookup import FrameHeader, tag_of
from .overrides import GIVEN_BY_USER, GeometryOverrides, check_angle
from .sanity import SanityRow

_AGREEMENT_DEG = 2.0
_POSITION = "PositionerPositionSequence"


@dataclass(frozen=True)
class FrameAngles:
    """Angles in degrees, None where nobody gives them, with the source of each."""

    primary_deg: float | None
    secondary_deg: float | None
    detector_rotation_deg: float
    sources: dict[str, str]


def increments_at(values: list[float] | None, frame: int, frame_count: int, keyword: str) -> float | None:
    """The change from the first frame to a frame (0-based), or None where it is not given.

    PS3.3 C.8.7.5.1.3: ONE value is the average change from frame to frame, as many values as frames are the changes
    relative to the first frame. Raises UserError where there is any other number of values.
    """
    if values is None:
        return None
    if not np.all(np.isfinite(values)):
        raise UserError(f"The header's {keyword} {tag_of(keyword)} is not a number: the file is damaged.")
    if len(values) == 1 and frame_count > 1:
        return frame * values[0]
    if len(values) == frame_count:
        return values[frame]
    raise UserError(f"The header gives {len(values)} values of {keyword} {tag_of(keyword)} for {frame_count} frames: "
                    "one, or one per frame, can be understood.")


def _wrapped(angle_deg: float) -> float:
    """The same direction between -180 and 180 degrees."""
    return (angle_deg + 180.0) % 360.0 - 180.0


def _patient_angle(header: FrameHeader, frame_count: int, name: str) -> tuple[float | None, str]:
    """An angle relative to the patient, with increments where the positioner moves, and its source."""
    keyword = f"Positioner{name}Angle"
    initial = header.number(keyword, _POSITION)
    if initial is None:
        return None, ""
    if header.frame == 0 or header.group(_POSITION) is not None or header.text("PositionerMotion") != "DYNAMIC":
        return initial, tag_of(keyword)
    increment = increments_at(header.numbers(f"{keyword}Increment"), header.frame, frame_count, f"{keyword}Increment")
    if increment is None:
        return None, ""
    angle = initial + increment
    if name == "Primary" and abs(initial) <= PRIMARY_LIMIT_DEG and np.isfinite(angle):
        angle = angle if abs(angle) <= PRIMARY_LIMIT_DEG else _wrapped(angle)
    return angle, f"{tag_of(keyword)} + {tag_of(f'{keyword}Increment')}"


def read_angles(header: FrameHeader, frame_count: int, overrides: GeometryOverrides) -> FrameAngles:
    """The angles of a frame: the user's, else those relative to the patient, else the isocentre system's.

    The latter serve only where the table is neither turned nor tilted. Raises UserError where an angle is impossible.
    """
    isocentre = read_isocentre_system(header)
    sources: dict[str, str] = {}
    found: dict[str, float | None] = {}
    given = {"Primary": overrides.primary_angle_deg, "Secondary": overrides.secondary_angle_deg}
    limits = {"Primary": PRIMARY_LIMIT_DEG, "Secondary": SECONDARY_LIMIT_DEG}
    for name, override in given.items():
        key = f"{name.lower()}_angle_deg"
        if override is not None:
            found[name], sources[key] = override, GIVEN_BY_USER
            continue
        angle, source = _patient_angle(header, frame_count, name)
        if angle is None and isocentre is not None and isocentre.table_is_level:
            angle = getattr(isocentre, key)
            source = tag_of(f"PositionerIsocenter{name}Angle")
        if angle is not None:
            check_angle(f"{name.lower()} angle", angle, limits[name], f"--{name.lower()}",
                        f"{source}, frame {header.frame}")
            sources[key] = source
        found[name] = angle
    rotation = 0.0
    if isocentre is not None and isocentre.table_is_level:
        rotation = isocentre.detector_rotation_deg
        sources["detector_rotation_deg"] = tag_of("PositionerIsocenterDetectorRotationAngle")
    return FrameAngles(found["Primary"], found["Secondary"], rotation, sources)


def _beam(primary_deg: float, secondary_deg: float) -> np.ndarray:
    """Unit vector from source to detector (3,), RAS."""
    return Rotation.from_euler("ZX", [primary_deg, secondary_deg], degrees=True).as_matrix() @ np.array([0.0, 1.0, 0.0])


def _isocentre_rows(angles: FrameAngles, isocentre: IsocentreSystem) -> list[SanityRow]:
    source = tag_of("IsocenterReferenceSystemSequence")
    if not isocentre.table_is_level:
        return [SanityRow("amber", "Isocentre system", "the table is turned or tilted, so its angles are not the "
                          "patient's; only the positioner angles relative to the patient are used", source)]
    rows = []
    if abs(angles.detector_rotation_deg) > 0.05:
        rows.append(SanityRow("amber", "Detector rotation", f"{angles.detector_rotation_deg:.4g} deg about the beam, "
                              "taken as clockwise seen from the source: check the overlay",
                              tag_of("PositionerIsocenterDetectorRotationAngle")))
    if angles.primary_deg is not None and angles.secondary_deg is not None:
        between = float(np.degrees(np.arccos(np.clip(
            _beam(angles.primary_deg, angles.secondary_deg)
            @ _beam(isocentre.primary_angle_deg, isocentre.secondary_angle_deg), -1.0, 1.0))))
        agrees = between <= _AGREEMENT_DEG
        rows.append(SanityRow("ok" if agrees else "red", "Isocentre system",
                              f"its beam direction is {between:.1f} deg from that of the positioner angles"
                              + ("" if agrees else ": one of them is wrong, or the patient's position is not as said"),
                              source))
    return rows


def angle_rows(header: FrameHeader, frame_count: int, angles: FrameAngles) -> list[SanityRow]:
    """What the report says about the angles of the first frame and about a positioner that moves."""
    rows = []
    for name, value, words in (("primary", angles.primary_deg, ("LAO", "RAO")),
                               ("secondary", angles.secondary_deg, ("cranial", "caudal"))):
        item = f"{name.capitalize()} angle"
        if value is None:
            rows.append(SanityRow("red", item, f"missing: give it with --{name} DEG"))
        else:
            side = words[0] if value >= 0 else words[1]
            rows.append(SanityRow("ok", item, f"{value:g} deg ({side})", angles.sources[f"{name}_angle_deg"]))
    isocentre = read_isocentre_system(header)
    if isocentre is not None:
        rows.extend(_isocentre_rows(angles, isocentre))
    if frame_count > 1 and header.group(_POSITION) is None:
        rows.extend(_motion_rows(header, frame_count))
    return rows


def _motion_rows(header: FrameHeader, frame_count: int) -> list[SanityRow]:
    source = tag_of("PositionerMotion")
    increments = {name: header.numbers(f"Positioner{name}AngleIncrement") for name in ("Primary", "Secondary")}
    moving = header.text("PositionerMotion") == "DYNAMIC"
    if moving:
        missing = [name.lower() for name, values in increments.items() if values is None]
        if missing:
            return [SanityRow("red", "Positioner motion", f"the positioner moves but the {' and '.join(missing)} "
                              "increments are missing: only frame 0 has known angles", source)]
        changes = []
        for name, values in increments.items():
            change = increments_at(values, frame_count - 1, frame_count, f"Positioner{name}AngleIncrement")
            changes.append(f"{name.lower()} {change:+g} deg")
        return [SanityRow("ok", "Positioner motion", f"moving, {' and '.join(changes)} from frame 0 to the last",
                          source)]
    if any(values is not None and np.any(values) for values in increments.values()):
        return [SanityRow("amber", "Positioner motion", "the header gives angle increments but does not call the "
                          "positioner moving: they are not applied", source)]
    return [SanityRow("ok", "Positioner motion", "one pair of angles for all frames", source)]
