"""How far the patient has moved with the table since the first frame.

Classic XA (PS3.3 C.8.7.4): "longitudinal" goes to the patient's left (+90 deg of the primary angle) and "lateral" to
the head (+90 deg of the secondary angle): the terms are those of an operator at the table's side. The vertical
increment has no sign in the standard; it is read as downwards like Table Top Vertical Position of Enhanced XA.
"""

import numpy as np

from ..errors import UserError
from .angles import increments_at
from .isocentre import read_isocentre_system
from .lookup import FrameHeader, tag_of
from .patient_axes import patient_from_table, patient_position
from .sanity import SanityRow

_INCREMENTS = ("TableLongitudinalIncrement", "TableLateralIncrement", "TableVerticalIncrement")
_POSITIONS = ("TableTopLongitudinalPosition", "TableTopLateralPosition", "TableTopVerticalPosition")
_TURNS = ("TableHorizontalRotationAngle", "TableHeadTiltAngle", "TableCradleTiltAngle")
_GROUP = "TablePositionSequence"
_MOVED_MM = 0.01
_TURNED_DEG = 0.05


def _from_increments(header: FrameHeader, frame_count: int) -> tuple[np.ndarray, str]:
    """Patient shift (3,), RAS mm, from the increments of a classic object, and its source."""
    if header.text("TableMotion") != "DYNAMIC" or header.frame == 0:
        return np.zeros(3), ""
    moved = []
    for keyword in _INCREMENTS:
        increment = increments_at(header.numbers(keyword), header.frame, frame_count, keyword)
        moved.append(0.0 if increment is None else increment)
    left, head, down = moved
    to_patient = patient_from_table(patient_position(header))
    shift = np.array([-left, 0.0, head]) - down * to_patient[:, 1]
    return shift, " ".join(tag_of(keyword) for keyword in _INCREMENTS)


def table_place(header: FrameHeader) -> tuple[np.ndarray | None, str]:
    """Table place (3,), patient RAS mm, about any fixed point, of an enhanced object, and its source."""
    isocentre = read_isocentre_system(header)
    if isocentre is not None and isocentre.table_place_mm is not None:
        return np.array(isocentre.table_place_mm), tag_of("IsocenterReferenceSystemSequence")
    values = [header.number(keyword, _GROUP) for keyword in _POSITIONS]
    if any(value is None for value in values):
        return None, ""
    left, head, down = (float(value) for value in values if value is not None)
    return patient_from_table(patient_position(header)) @ np.array([-left, -down, head]), tag_of(_GROUP)


def table_turns(header: FrameHeader) -> np.ndarray:
    """Table angles (3,), degrees, 0 where not given."""
    item = header.group("IsocenterReferenceSystemSequence") or header.group(_GROUP)
    if item is None:
        return np.zeros(3)
    found = FrameHeader(item, 0)
    return np.array([found.number(keyword) or 0.0 for keyword in _TURNS])


def read_table_shift(header: FrameHeader, frame_count: int) -> tuple[tuple[float, float, float], str]:
    """Patient shift since frame 0 in RAS mm, and its source.

    Raises UserError where the table turns during the run, or moves while it is turned or tilted, and where a value is
    no finite number.
    """
    first = FrameHeader(header.dataset, 0)
    place, source = table_place(header)
    start, _ = table_place(first)
    if place is not None and start is not None:
        shift = place - start
        turns, turns_at_start = table_turns(header), table_turns(first)
        turned = bool(np.any(np.abs(turns - turns_at_start) > _TURNED_DEG))
        tilted = bool(np.any(np.abs(turns) > _TURNED_DEG)) and float(np.linalg.norm(shift)) > _MOVED_MM
        if turned or tilted:
            raise UserError(f"In frame {header.frame} the table has turned, or moved while turned or tilted, since "
                            "frame 0: that is not supported, use a run in which it stays level.")
    else:
        shift, source = _from_increments(header, frame_count)
    if not np.all(np.isfinite(shift)):
        raise UserError(f"The table position of frame {header.frame} {source} is not a number: the file is damaged.")
    right, anterior, head = (float(value) + 0.0 for value in shift)
    return (right, anterior, head), source if header.frame else ""


def table_rows(header: FrameHeader, frame_count: int) -> list[SanityRow]:
    """What the report says about the table during the run."""
    if frame_count == 1:
        return []
    last = FrameHeader(header.dataset, frame_count - 1)
    (right, anterior, head), source = read_table_shift(last, frame_count)
    increments = {keyword: header.numbers(keyword) for keyword in _INCREMENTS}
    item = "Table"
    if not source and any(values is not None and np.any(values) for values in increments.values()):
        return [SanityRow("amber", item, "the header gives table increments but does not call the table moving: they "
                          "are not applied", tag_of("TableMotion"))]
    if not source:
        return [SanityRow("ok", item, "does not move", tag_of("TableMotion") if header.text("TableMotion") else "")]
    words = f"from frame 0 to the last the patient moves {-right:+g} mm left, {head:+g} mm to the head, " \
            f"{-anterior:+g} mm to the back"
    rows = [SanityRow("ok", item, words, source)]
    if header.text("TableMotion") == "DYNAMIC" and source.startswith(tag_of(_INCREMENTS[0])):
        missing = [tag_of(keyword) for keyword, values in increments.items() if values is None]
        if missing:
            rows.append(SanityRow("amber", item, f"increment {' '.join(missing)} is missing and counts as 0"))
        angle = header.number("TableAngle")
        if angle:
            rows.append(SanityRow("amber", item, f"the table is tilted by {angle:g} deg; its moves are read as if it "
                                  "were level", tag_of("TableAngle")))
        vertical = increments["TableVerticalIncrement"]
        if vertical is not None and np.any(vertical):
            position = patient_position(header)
            rows.append(SanityRow("amber", item, "the standard gives the vertical increment no sign; it is read as "
                                  f"downwards, {'patient ' + position if position else 'patient taken as supine'}",
                                  tag_of("TableVerticalIncrement")))
    return rows
