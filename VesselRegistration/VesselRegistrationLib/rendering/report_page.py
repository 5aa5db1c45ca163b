"""A result as one page for people to read and print, beside the pictures that it shows."""

from html import escape

from ..registration.result import ACCEPTED, CHECK, REJECTED, RegistrationResult, ViewResult

REPORT_FILE = "report.html"

_LIGHTS = {ACCEPTED: "#2e9e4f", CHECK: "#d98e04", REJECTED: "#d03b3b"}
_STYLE = ("body{font:15px/1.45 sans-serif;max-width:62em;margin:2em auto;padding:0 1em;color:#222}"
          "table{border-collapse:collapse;margin:.6em 0}td,th{padding:.2em .9em .2em 0;text-align:left;"
          "border-bottom:1px solid #ddd}img{width:49%}h2{margin-top:1.6em}.notice{color:#666}"
          "@media print{body{margin:0}}")
_NOTICE = ("Research software, not a medical device. Its networks were trained on simulated X-rays only, never on "
           "images of patients.")


def report_page(result: RegistrationResult, created: str) -> str:
    """The text of report.html for a result with a pose; it shows overlay_K.png and comparison_K.png beside it.

    ``created`` says when, in words. Nothing in it names the patient.
    """
    light = f'<span style="color:{_LIGHTS[result.status]}">&#9679; {escape(result.status.capitalize())}</span>'
    notes = result.confidence.notes if result.confidence else ()
    parts = ["<!DOCTYPE html>", '<html lang="en"><head><meta charset="utf-8"><title>Vessel registration</title>',
             f"<style>{_STYLE}</style></head><body>", "<h1>Vessel registration</h1>",
             f'<p class="notice">{_NOTICE}</p>', f"<p><b>{light}</b> {escape(result.reason)}</p>",
             *(f"<p>{escape(note)}</p>" for note in notes), _table(_facts(result, created))]
    for number, view in enumerate(result.views):
        parts += [f"<h2>View {number + 1}: {escape(view.view.clinical_angles)}</h2>", _table(_view_facts(view)),
                  f'<img src="overlay_{number}.png" alt="Registered model on the X-ray"> '
                  f'<img src="comparison_{number}.png" alt="Where model and vessel mask agree">']
    parts += ["<h2>Pose</h2>", "<p>Model RAS mm to world mm, whose origin is the isocentre:</p>",
              _table([tuple(f"{value:.4f}" for value in row) for row in result.model_to_world]), "</body></html>"]
    return "\n".join(parts) + "\n"


def _facts(result: RegistrationResult, created: str) -> list[tuple[str, ...]]:
    rows = [("Created", created), ("Method", result.method)]
    if result.confidence is not None:
        low, high = result.confidence.mrpd_interval_mm
        rows += [("Probability of an in-plane error below 2 mm", f"{result.confidence.probability_within_2mm:.2f}"),
                 ("In-plane error (mRPD), 90 % interval", f"{low:.2f} to {high:.2f} mm"),
                 ("Depth along the first beam, standard deviation", f"{result.confidence.depth_sd_mm:.1f} mm")]
    rows += [(f"Network {name}", f"SHA-256 {sha[:16]}") for name, sha in result.weights.items()]
    return [*rows, ("Seconds", ", ".join(f"{stage} {seconds:.1f}" for stage, seconds in result.timings_s.items()))]


def _view_facts(view: ViewResult) -> list[tuple[str, ...]]:
    geometry, sources = view.frame.geometry, view.frame.geometry.sources
    rows = [(words, f"{getattr(geometry, field):.4g} {unit}", sources.get(field, ""))
            for words, field, unit in (("Primary angle", "primary_angle_deg", "deg"),
                                       ("Secondary angle", "secondary_angle_deg", "deg"), ("SID", "sid_mm", "mm"),
                                       ("SOD", "sod_mm", "mm"), ("Imager pixel spacing", "row_spacing_mm", "mm"))]
    overlap = view.overlap
    return [*rows, ("Frame", str(view.frame.frame_number), "counted from 0"),
            ("Vessel mask", view.mask_source, ""),
            ("Overlap", f"Dice {overlap.dice:.3f}", f"precision {overlap.precision:.3f}, recall {overlap.recall:.3f}")]


def _table(rows: list[tuple[str, ...]]) -> str:
    lines = ["<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows]
    return "<table>" + "".join(lines) + "</table>"
