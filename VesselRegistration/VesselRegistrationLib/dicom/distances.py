"""Distances and pixel spacing of one frame (PS3.3 C.8.7.5, C.8.19.6.5, 10.7.1.1)."""

import math
from dataclasses import dataclass

from ..errors import UserError
from .lookup import FrameHeader, is_set, tag_of
from .overrides import (
    GIVEN_BY_USER,
    GeometryOverrides,
    check_distance,
    check_distances_fit,
    check_spacing,
)
from .sanity import Level, SanityRow

_GEOMETRY = "XRayGeometrySequence"
_PIXELS = "FramePixelDataPropertiesSequence"
_SID = "DistanceSourceToDetector"
_ISOCENTRE = "DistanceSourceToIsocenter"
_PATIENT = "DistanceSourceToPatient"
_ERMF = "EstimatedRadiographicMagnificationFactor"
_AGREEMENT = 0.01
_FIELD_AGREEMENT = 0.05


@dataclass(frozen=True)
class FrameDistances:
    """SID, SOD and spacings in mm, None where nobody gives them, with the source of each."""

    sid_mm: float | None
    sod_mm: float | None
    row_spacing_mm: float | None
    column_spacing_mm: float | None
    sources: dict[str, str]


def _sod_keyword(header: FrameHeader) -> str:
    """Enhanced objects give the isocentre's distance beside that of the patient."""
    return _ISOCENTRE if is_set(header.number(_ISOCENTRE, _GEOMETRY)) else _PATIENT


def _magnification(header: FrameHeader) -> float | None:
    factor = header.number(_ERMF, _GEOMETRY)
    return factor if is_set(factor) else None


def _usable(factor: float | None) -> bool:
    return factor is not None and math.isfinite(factor) and factor > 1.0


def read_distances(header: FrameHeader, overrides: GeometryOverrides) -> FrameDistances:
    """Distances and spacing of a frame: the user's, else the header's.

    The magnification factor ERMF = SID / SOD stands in for exactly one missing distance. A distance or spacing of 0 in
    the header counts as not given. Raises UserError where a value is impossible.
    """
    sources: dict[str, str] = {}
    sid, sod = overrides.sid_mm, overrides.sod_mm
    if sid is not None:
        sources["sid_mm"] = GIVEN_BY_USER
    elif is_set(sid := header.number(_SID, _GEOMETRY)):
        check_distance("source to detector distance", float(sid or 0), "--sid", tag_of(_SID))
        sources["sid_mm"] = tag_of(_SID)
    else:
        sid = None
    keyword = _sod_keyword(header)
    if sod is not None:
        sources["sod_mm"] = GIVEN_BY_USER
    elif is_set(sod := header.number(keyword, _GEOMETRY)):
        check_distance("source to patient distance", float(sod or 0), "--sod", tag_of(keyword))
        sources["sod_mm"] = tag_of(keyword)
    else:
        sod = None
    factor = _magnification(header)
    if factor is not None and _usable(factor) and (sid is None) != (sod is None):
        if sod is None and sid is not None:
            sod, sources["sod_mm"] = sid / factor, "SID / ERMF"
        elif sod is not None:
            sid, sources["sid_mm"] = sod * factor, "SOD x ERMF"
    if sid is not None and sod is not None:
        check_distances_fit(sid, sod)
    row, column = _spacing(header, overrides, sources)
    return FrameDistances(sid, sod, row, column, sources)


def _spacing(header: FrameHeader, overrides: GeometryOverrides,
             sources: dict[str, str]) -> tuple[float | None, float | None]:
    if overrides.pixel_spacing_mm is not None:
        sources["row_spacing_mm"] = sources["column_spacing_mm"] = GIVEN_BY_USER
        return overrides.pixel_spacing_mm, overrides.pixel_spacing_mm
    values = header.numbers("ImagerPixelSpacing", _PIXELS)
    source = tag_of("ImagerPixelSpacing")
    if values is None or not any(is_set(value) for value in values):
        return None, None
    if len(values) != 2:
        raise UserError(f"Imager Pixel Spacing {source} holds {len(values)} value instead of a row and a column "
                        "spacing: give it with --pixel-spacing MM.")
    for value in values:
        check_spacing(value, source)
    sources["row_spacing_mm"] = sources["column_spacing_mm"] = source
    return values[0], values[1]


def distance_rows(header: FrameHeader, distances: FrameDistances, rows: int, columns: int) -> list[SanityRow]:
    """What the report says about distances, magnification and spacing of the first frame."""
    found = []
    for item, option, key, value in (
            ("Source to detector (SID)", "--sid MM", "sid_mm", distances.sid_mm),
            ("Source to patient (SOD)", "--sod MM", "sod_mm", distances.sod_mm)):
        if value is None:
            found.append(SanityRow("red", item, f"missing: give it with {option}"))
        else:
            source = distances.sources[key]
            stand_in = "ERMF" in source
            found.append(SanityRow("amber" if stand_in else "ok", item, f"{value:.5g} mm"
                                   + (", worked out from the magnification factor" if stand_in else ""), source))
    found.extend(_magnification_rows(header, distances))
    found.extend(_spacing_rows(header, distances, rows, columns))
    return found


def _magnification_rows(header: FrameHeader, distances: FrameDistances) -> list[SanityRow]:
    factor = _magnification(header)
    source = tag_of(_ERMF)
    if factor is None:
        return [SanityRow("amber", "Magnification (ERMF)", "not given: SID / SOD could not be cross-checked")]
    if not _usable(factor):
        return [SanityRow("red", "Magnification (ERMF)", f"{factor:g} is impossible: it is SID / SOD and lies above 1; "
                          "it is not used", source)]
    if distances.sid_mm is None or distances.sod_mm is None:
        return [SanityRow("amber", "Magnification (ERMF)", f"{factor:.4g}, with neither SID nor SOD to use it on",
                          source)]
    if "ERMF" in distances.sources["sid_mm"] + distances.sources["sod_mm"]:
        return [SanityRow("ok", "Magnification (ERMF)", f"{factor:.4g}, stands in for the missing distance", source)]
    ratio = distances.sid_mm / distances.sod_mm
    off = abs(ratio / factor - 1.0)
    level: Level = "ok" if off <= _AGREEMENT else "red"
    words = f"{factor:.4g}, SID / SOD is {ratio:.4g}" + (
        "" if level == "ok" else f": they differ by {100 * off:.1f} %, one of the three is wrong")
    return [SanityRow(level, "Magnification (ERMF)", words, source)]


def _spacing_rows(header: FrameHeader, distances: FrameDistances, rows: int, columns: int) -> list[SanityRow]:
    item = "Imager pixel spacing"
    in_patient = header.numbers("PixelSpacing", "PixelMeasuresSequence")
    if distances.row_spacing_mm is None or distances.column_spacing_mm is None:
        words = "missing: give it with --pixel-spacing MM"
        if in_patient is not None:
            shown = " x ".join(f"{value:g}" for value in in_patient)
            words += (f"; Pixel Spacing {tag_of('PixelSpacing')} of {shown} mm is there, but it holds in the patient, "
                      "not at the detector, and is not used")
        return [SanityRow("red", item, words)]
    found = [SanityRow("ok", item, f"{distances.row_spacing_mm:g} x {distances.column_spacing_mm:g} mm "
                       "(row x column, at the detector)", distances.sources["row_spacing_mm"])]
    size = header.numbers("FieldOfViewDimensionsInFloat", "FieldOfViewSequence") or header.numbers(
        "FieldOfViewDimensions")
    if size is not None and len(size) == 2 and all(is_set(value) for value in size) and (
            header.text("FieldOfViewShape", "FieldOfViewSequence") == "RECTANGLE"):
        wanted = (rows * distances.row_spacing_mm, columns * distances.column_spacing_mm)
        off = max(abs(length / side - 1.0) for length, side in zip(wanted, size, strict=True))
        words = f"{size[0]:g} x {size[1]:g} mm, the image measures {wanted[0]:.4g} x {wanted[1]:.4g} mm at the detector"
        if off > _FIELD_AGREEMENT:
            words += f": they differ by {100 * off:.0f} %, the spacing may not be that at the detector"
        found.append(SanityRow("ok" if off <= _FIELD_AGREEMENT else "amber", "Field of view size", words,
                               tag_of("FieldOfViewDimensions")))
    return found
