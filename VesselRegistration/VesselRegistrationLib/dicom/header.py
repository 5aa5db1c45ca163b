"""The geometry of one frame, put together from header and user, and its cross-checks."""

from types import MappingProxyType

import numpy as np

from ..geometry.carm import CArmView
from .angles import angle_rows, read_angles
from .detector import detector_rows, read_detector_image
from .distances import distance_rows, read_distances
from .frame import HeaderGeometry
from .lookup import FrameHeader, tag_of
from .overrides import GeometryOverrides
from .patient_axes import direction_of, letters_of, orientation_letters
from .sanity import SanityRow
from .table import read_table_shift, table_rows

_CLEARLY_ALONG = 0.5


def read_geometry(header: FrameHeader, frame_count: int, rows: int, columns: int,
                  overrides: GeometryOverrides) -> HeaderGeometry:
    """What header and user say about the geometry of one frame. Raises UserError where a value is impossible."""
    angles = read_angles(header, frame_count, overrides)
    distances = read_distances(header, overrides)
    image = read_detector_image(header, distances, rows, columns)
    shift, shift_source = read_table_shift(header, frame_count)
    sources = {**angles.sources, **distances.sources, **image.sources}
    if shift_source:
        sources["table_shift_mm"] = shift_source
    return HeaderGeometry(
        primary_angle_deg=angles.primary_deg,
        secondary_angle_deg=angles.secondary_deg,
        sid_mm=distances.sid_mm,
        sod_mm=distances.sod_mm,
        row_spacing_mm=distances.row_spacing_mm,
        column_spacing_mm=distances.column_spacing_mm,
        detector_rotation_deg=angles.detector_rotation_deg,
        table_shift_mm=shift,
        principal_point=image.principal_point,
        image_rotation_deg=image.image_rotation_deg,
        horizontal_flip=image.horizontal_flip,
        sources=MappingProxyType(sources),
    )


def image_axes(geometry: HeaderGeometry) -> np.ndarray | None:
    """Directions (2, 3), RAS, in which col and row grow, or None without angles. Distances do not matter here."""
    if geometry.primary_angle_deg is None or geometry.secondary_angle_deg is None:
        return None
    return CArmView(geometry.primary_angle_deg, geometry.secondary_angle_deg, 1000.0, 700.0, 2, 2, 1.0, 1.0,
                    detector_rotation_deg=geometry.detector_rotation_deg,
                    image_rotation_deg=geometry.image_rotation_deg,
                    horizontal_flip=geometry.horizontal_flip).image_axes


def orientation_rows(header: FrameHeader, geometry: HeaderGeometry) -> list[SanityRow]:
    """Patient Orientation (0020,0020) held against the angles: 0/0 gives L\\F, LAO 90 P\\F, RAO 90 A\\F."""
    item, source = "Patient orientation", tag_of("PatientOrientation")
    words = header.words("PatientOrientation", "PatientOrientationInFrameSequence")
    axes = image_axes(geometry)
    if not words:
        return [SanityRow("amber", item, "not given: the angles could not be cross-checked")]
    letters = orientation_letters(list(words))
    if letters is None:
        return [SanityRow("amber", item, "not understood: the angles could not be cross-checked", source)]
    said = "\\".join(letters)
    if axes is None:
        return [SanityRow("amber", item, f"{said}, but there are no angles to check it against", source)]
    expected = "\\".join(letters_of(axis) for axis in axes)
    along = [float(axis @ direction_of(word[0])) for axis, word in zip(axes, letters, strict=True)]
    if min(along) >= _CLEARLY_ALONG:
        return [SanityRow("ok", item, f"{said} fits the angles ({expected})", source)]
    if min(along) > 0:
        return [SanityRow("amber", item, f"{said}, from the angles {expected} is expected: near, but check it", source)]
    mirrored = along[0] < 0 < along[1]
    return [SanityRow("red", item, f"{said}, but the angles give {expected}: "
                      + ("the picture may be mirrored, or " if mirrored else "") + "the angles are wrong", source)]


def geometry_rows(header: FrameHeader, frame_count: int, rows: int, columns: int,
                  overrides: GeometryOverrides) -> list[SanityRow]:
    """The report's lines about the geometry of the run."""
    geometry = read_geometry(header, frame_count, rows, columns, overrides)
    distances = read_distances(header, overrides)
    return [
        *angle_rows(header, frame_count, read_angles(header, frame_count, overrides)),
        *distance_rows(header, distances, rows, columns),
        *detector_rows(header, read_detector_image(header, distances, rows, columns), rows, columns),
        *table_rows(header, frame_count),
        *orientation_rows(header, geometry),
    ]
