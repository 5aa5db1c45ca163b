"""From detector to image: field of view, its rotation and flip, and the pixel of the central ray (PS3.3 C.8.11.4)."""

import math
from dataclasses import dataclass

from ..errors import UserError
from .distances import FrameDistances
from .lookup import FrameHeader, tag_of
from .sanity import SanityRow

_FIELD = "FieldOfViewSequence"
_PROJECTION = "PositionOfIsocenterProjection"


@dataclass(frozen=True)
class DetectorImage:
    """How the stored image was made from the detector's.

    ``principal_point`` is the (col, row) of the central ray in the stored image, None for its middle.
    ``image_rotation_deg`` (clockwise) and then ``horizontal_flip`` were applied to the detector's image.
    """

    principal_point: tuple[float, float] | None
    image_rotation_deg: int
    horizontal_flip: bool
    sources: dict[str, str]


def read_detector_image(header: FrameHeader, distances: FrameDistances, rows: int, columns: int) -> DetectorImage:
    """Field of view of one frame. Raises UserError for a rotation other than 0, 90, 180 or 270 degrees."""
    sources: dict[str, str] = {}
    turn = header.number("FieldOfViewRotation", _FIELD)
    if turn is not None and turn not in (0, 90, 180, 270):
        raise UserError(f"A field of view rotated by {turn:g} deg {tag_of('FieldOfViewRotation')} is not supported: "
                        "only steps of 90 deg are.")
    flip = header.text("FieldOfViewHorizontalFlip", _FIELD)
    if turn is not None:
        sources["image_rotation_deg"] = tag_of("FieldOfViewRotation")
    if flip:
        sources["horizontal_flip"] = tag_of("FieldOfViewHorizontalFlip")
    rotation, flipped = int(turn or 0), flip == "YES"
    centre = None
    place = _central_place(header, distances, rotation)
    if place is not None:
        centre = _to_stored(place, rotation, flipped, rows, columns)
        sources["principal_point"] = tag_of(_PROJECTION)
    return DetectorImage(centre, rotation, flipped, sources)


def _central_place(header: FrameHeader, distances: FrameDistances, rotation: int) -> tuple[float, float] | None:
    """Row and column of the central ray in the field of view before rotation and flip, in stored pixels.

    Position of Isocenter Projection counts detector elements from the centre of the first one; Field of View Origin is
    the corner's offset in elements (PS3.3 C.8.19.5, C.8.19.6.2). None where one of the values is not there.
    """
    projection = header.numbers(_PROJECTION)
    origin = header.numbers("FieldOfViewOrigin", _FIELD)
    elements = header.numbers("DetectorElementSpacing")
    spacings = (distances.row_spacing_mm, distances.column_spacing_mm)
    if projection is None or origin is None or elements is None or spacings[0] is None or spacings[1] is None:
        return None
    values = [*projection, *origin, *elements]
    if len(values) != 6 or not all(math.isfinite(value) for value in values) or min(elements) <= 0:
        return None
    pixels = (spacings[0], spacings[1]) if rotation in (0, 180) else (spacings[1], spacings[0])
    row, column = ((projection[axis] + 0.5 - origin[axis]) * elements[axis] / pixels[axis] - 0.5 for axis in (0, 1))
    return row, column


def _to_stored(place: tuple[float, float], rotation: int, flipped: bool, rows: int,
               columns: int) -> tuple[float, float]:
    """(col, row) in the stored image (rows, columns) of a (row, column) of the image before rotation and flip."""
    row, column = place
    if rotation == 90:
        row, column = column, columns - 1 - row
    elif rotation == 180:
        row, column = rows - 1 - row, columns - 1 - column
    elif rotation == 270:
        row, column = rows - 1 - column, row
    return (columns - 1 - column if flipped else column), row


def detector_rows(header: FrameHeader, image: DetectorImage, rows: int, columns: int) -> list[SanityRow]:
    """What the report says about the field of view of the first frame."""
    found = []
    if image.image_rotation_deg or image.horizontal_flip:
        words = f"turned clockwise by {image.image_rotation_deg} deg"
        words += ", then mirrored left to right" if image.horizontal_flip else ""
        found.append(SanityRow("ok", "Field of view", words, tag_of("FieldOfViewRotation")))
    if image.principal_point is None:
        if header.numbers(_PROJECTION) is None:
            found.append(SanityRow("ok", "Central ray", "taken in the middle of the image, as XA defines it"))
        else:
            found.append(SanityRow("amber", "Central ray", "its place on the detector is given, but not the field of "
                                   "view origin or the element spacing that turn it into pixels: taken in the middle",
                                   tag_of(_PROJECTION)))
        return found
    col, row = image.principal_point
    inside = 0 <= col <= columns - 1 and 0 <= row <= rows - 1
    found.append(SanityRow("ok" if inside else "amber", "Central ray", f"at column {col:.1f}, row {row:.1f}"
                           + ("" if inside else ", outside the image"), tag_of(_PROJECTION)))
    return found
