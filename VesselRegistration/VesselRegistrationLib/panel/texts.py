"""Texts of the panel as rich text: the sanity report, the geometry and the verdict."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from slicer.i18n import tr as _

from ..dicom.frame import HeaderGeometry
from ..dicom.sanity import SanityRow
from ..geometry.carm import angle_words

LIGHTS = {"accepted": "#2e9e4f", "check": "#d98e04", "rejected": "#d03b3b"}
_ROW_COLORS = {"amber": LIGHTS["check"], "red": LIGHTS["rejected"]}


def reportAsHtml(rows: Sequence[SanityRow]) -> str:
    """The rows of a sanity report, amber and red ones first and in their colour."""
    ordered = sorted(rows, key=lambda row: {"red": 0, "amber": 1}.get(row.level, 2))
    lines = []
    for row in ordered:
        color = _ROW_COLORS.get(row.level)
        style = f' style="color:{color}"' if color else ""
        lines.append(f"<div{style}><b>{escape(row.item)}</b>: {escape(row.says)}</div>")
    return "".join(lines)


def sourceAsHtml(geometry: HeaderGeometry, field: str) -> str:
    """Where a geometry value came from; in red that it is missing."""
    if getattr(geometry, field) is None:
        return f'<span style="color:{LIGHTS["rejected"]}">{_("missing: give it here")}</span>'
    return f"<i>{escape(geometry.sources.get(field, _('not in the header')))}</i>"


def verdictAsHtml(record: Mapping[str, Any]) -> str:
    """The status in a result's record as a coloured light with its one sentence, and what else should be read."""
    status = record["status"]
    words = {"accepted": _("Accepted"), "check": _("Check"), "rejected": _("Rejected")}[status]
    light = f'<span style="color:{LIGHTS[status]}">&#9679; <b>{words}</b></span>'
    notes = (record["uncertainty"] or {}).get("notes", ())
    return "<br>".join([f"{light} {escape(record['reason'])}", *(escape(note) for note in notes)])


def measuresAsHtml(record: Mapping[str, Any]) -> str:
    """Angles and overlap of every view, and the errors to expect where the method knows them."""
    lines = [_("{angles}: Dice {dice:.2f}, precision {precision:.2f}, recall {recall:.2f}").format(
        angles=angle_words(view["primary_angle_deg"], view["secondary_angle_deg"]), dice=view["dice"],
        precision=view["precision"], recall=view["recall"]) for view in record["views"]]
    uncertainty = record["uncertainty"]
    if uncertainty:
        low, high = uncertainty["mrpd_interval_mm"]
        lines.append(_("Error in the image plane (mRPD), 90 % interval: {low:.1f} to {high:.1f} mm").format(
            low=low, high=high))
        low, high = record["mtre_interval_mm"]
        lines.append(_("Error in space (mTRE), 90 % interval: {low:.1f} to {high:.1f} mm").format(low=low, high=high))
    return "<br>".join(lines)
