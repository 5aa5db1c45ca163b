"""Texts of the panel as rich text: the sanity report, the geometry and the verdict."""

from collections.abc import Sequence
from html import escape

from ..dicom.frame import HeaderGeometry
from ..dicom.sanity import SanityRow
from ..registration.result import RegistrationResult

LIGHTS = {"accepted": "#2e9e4f", "check": "#d98e04", "rejected": "#d03b3b"}
_ROW_COLORS = {"amber": LIGHTS["check"], "red": LIGHTS["rejected"]}
_FACTS = (("Primary angle", "primary_angle_deg", "deg"), ("Secondary angle", "secondary_angle_deg", "deg"),
          ("SID", "sid_mm", "mm"), ("SOD", "sod_mm", "mm"), ("Imager pixel spacing", "row_spacing_mm", "mm"))


def reportAsHtml(rows: Sequence[SanityRow]) -> str:
    """The rows of a sanity report, amber and red ones first and in their colour."""
    ordered = sorted(rows, key=lambda row: {"red": 0, "amber": 1}.get(row.level, 2))
    lines = []
    for row in ordered:
        color = _ROW_COLORS.get(row.level)
        style = f' style="color:{color}"' if color else ""
        lines.append(f"<div{style}><b>{escape(row.item)}</b>: {escape(row.says)}</div>")
    return "".join(lines)


def geometryAsHtml(geometry: HeaderGeometry) -> str:
    """Every geometry value with where it came from; what is missing in red."""
    lines = []
    for name, field, unit in _FACTS:
        value = getattr(geometry, field)
        if value is None:
            lines.append(f'<div style="color:{LIGHTS["rejected"]}"><b>{name}</b>: missing, give it here</div>')
        else:
            source = geometry.sources.get(field, "")
            lines.append(f"<div><b>{name}</b>: {value:.4g} {unit} <i>{escape(source)}</i></div>")
    return "".join(lines)


def verdictAsHtml(result: RegistrationResult) -> str:
    """The status as a coloured light with its one sentence, and what else the user should read."""
    light = f'<span style="color:{LIGHTS[result.status]}">&#9679; <b>{result.status.capitalize()}</b></span>'
    notes = result.confidence.notes if result.confidence else ()
    return "<br>".join([f"{light} {escape(result.reason)}", *(escape(note) for note in notes)])


def measuresAsHtml(result: RegistrationResult) -> str:
    """Angles and overlap of every view, and the expected error where the method knows it."""
    if not result.found:
        return ""
    lines = [f"{escape(view.view.clinical_angles)}: Dice {view.overlap.dice:.2f}, precision "
             f"{view.overlap.precision:.2f}, recall {view.overlap.recall:.2f}" for view in result.views]
    if result.confidence:
        low, high = result.confidence.mrpd_interval_mm
        lines.append(f"Expected error in the image plane, 90 % interval: {low:.1f} to {high:.1f} mm")
    return "<br>".join(lines)
