"""Texts of the panel as rich text: the sanity report, the geometry and the verdict."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from slicer.i18n import tr as _

from ..dicom.frame import HeaderGeometry
from ..dicom.sanity import SanityRow
from ..geometry.carm import angle_words
from ..pose.tracking import HELD
from ..registration.cine import CineResult
from ..scene.liveTracking import LiveStatus

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


def resultAsHtml(record: Mapping[str, Any]) -> str:
    """A result as a table: a column for each view, then what holds for all."""
    rows = [("", *(angle_words(view["primary_angle_deg"], view["secondary_angle_deg"]) for view in record["views"])),
            *((words, *(f"{view[name]:.3f}" for view in record["views"]))
              for words, name in (("Dice", "dice"), (_("Precision"), "precision"), (_("Recall"), "recall"))),
            (_("Vessel mask"), *(view["mask_source"].split(". ")[0] for view in record["views"])),
            (_("Method"), record["method"])]
    uncertainty = record["uncertainty"]
    if uncertainty:
        rows += [(_("Within 2 mm in the image plane"), _percent(uncertainty["probability_within_2mm"])),
                 (_("Depth along the first beam (sd)"), f"{uncertainty['depth_sd_mm']:.1f} mm")]
    rows.append((_("Seconds"), f"{sum(record['timings_s'].values()):.1f}"))
    cells = ("".join(f'<td style="padding-right:12px">{escape(cell)}</td>' for cell in row) for row in rows)
    return "<table>" + "".join(f"<tr>{row}</tr>" for row in cells) + "</table>"


def _percent(probability: float) -> str:
    return _("over 99 %") if probability > 0.99 else f"{100 * probability:.0f} %"


def cineAsHtml(result: CineResult, status: str) -> str:
    """How the following of a run went, with a light; ``status`` is that of the pose that it began with."""
    held = [frame for frame in result.frames if frame.status == HELD]
    words = _("Followed in {good} of {all} frames.").format(good=len(result.frames) - len(held), all=len(result.frames))
    if held:
        words += " " + _("The others keep the last good pose. First: {reason}").format(reason=held[0].reason)
    light = LIGHTS["rejected" if len(held) == len(result.frames) else "check" if held else status]
    return "<br>".join([f'<span style="color:{light}">&#9679;</span> {escape(words)}',
                        *(escape(note) for note in result.notes)])


def liveAsHtml(status: LiveStatus) -> str:
    """How live mode goes: frame rate, dropped frames, and whether the pose is a held one."""
    light = LIGHTS["check" if status.reason else "accepted"]
    words = _("{rate:.1f} frames/s, {tracked} followed, {held} held, {dropped} dropped").format(
        rate=status.rate, tracked=status.tracked, held=status.held, dropped=status.dropped)
    line = f'<span style="color:{light}">&#9679;</span> {words}'
    if not status.reason:
        return line
    return line + "<br>" + _("The last good pose, {seconds:.1f} s old, is shown: {reason}").format(
        seconds=status.sinceGood_s, reason=escape(status.reason))
