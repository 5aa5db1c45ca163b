"""The isocentre reference system of Enhanced XA (PS3.3 C.8.19.6.13): angles and table place about the room's isocentre.

Its axes are X to the table's left, Y down, Z to the table's head end. Here they are turned into the table's right, up
and head end, which are the patient's RAS axes for a patient who lies head first and supine on a table that is not
turned. The detector rotation is taken as clockwise seen from the source, which is the rotation about the beam in
R = Rz(primary) Rx(secondary) Ry(rotation).
"""

import warnings
from dataclasses import dataclass

import numpy as np
from scipy.spatial.transform import Rotation

from ..errors import UserError
from .lookup import FrameHeader, numbers_in, tag_of
from .patient_axes import patient_from_table, patient_position

_TURNS = ("TableHorizontalRotationAngle", "TableHeadTiltAngle", "TableCradleTiltAngle")
_ANGLES = ("PositionerIsocenterPrimaryAngle", "PositionerIsocenterSecondaryAngle",
           "PositionerIsocenterDetectorRotationAngle")
_PLACE = ("TableXPositionToIsocenter", "TableYPositionToIsocenter", "TableZPositionToIsocenter")
_LEVEL_TABLE_DEG = 0.05


@dataclass(frozen=True)
class IsocentreSystem:
    """One frame's place in the room: angles in degrees relative to the patient, table place in patient RAS mm.

    ``table_is_level`` is False where the table is turned or tilted; angles and place are then not the patient's.
    """

    primary_angle_deg: float
    secondary_angle_deg: float
    detector_rotation_deg: float
    table_place_mm: tuple[float, float, float] | None
    table_is_level: bool


def read_isocentre_system(header: FrameHeader) -> IsocentreSystem | None:
    """The isocentre reference system of a frame, or None where it has none. Raises UserError where it is damaged."""
    item = header.group("IsocenterReferenceSystemSequence")
    if item is None:
        return None
    angles = [numbers_in(item, keyword) for keyword in _ANGLES]
    if any(values is None for values in angles):
        return None
    turned = [values[0] for values in angles if values is not None]
    if not np.all(np.isfinite(turned)):
        raise UserError(f"The angles of the isocenter reference system {tag_of('IsocenterReferenceSystemSequence')} "
                        "are not numbers: the file is damaged.")
    to_patient = patient_from_table(patient_position(header))
    rotation = Rotation.from_matrix(to_patient) * Rotation.from_euler("ZXY", turned, degrees=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # at a secondary angle of 90 deg SciPy chooses one of the equal answers
        primary, secondary, in_plane = rotation.as_euler("ZXY", degrees=True)
    turns = [(numbers_in(item, keyword) or [0.0])[0] for keyword in _TURNS]
    place = [numbers_in(item, keyword) for keyword in _PLACE]
    where = None
    if all(values is not None for values in place):
        x, y, z = (values[0] for values in place if values is not None)
        right, anterior, head = to_patient @ np.array([-x, -y, z])
        where = (float(right), float(anterior), float(head))
    return IsocentreSystem(float(primary), float(secondary), float(in_plane), where,
                           bool(np.all(np.abs(turns) <= _LEVEL_TABLE_DEG)))
