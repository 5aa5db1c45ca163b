"""The folder of an evaluation of networks: report, box plots, overlays and Grad-CAM maps."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..matching.affine_matching import AffineMatcher
from ..networks.normalisation import NETWORK_SIZE, normalise, resize
from ..networks.weights import load_card, load_network
from ..rendering.files import save_json
from .figures import Overlay, extremes, gray_of, save_box_plots, save_grad_cam, save_overlays
from .frames import EvaluationFrame, FrameSource
from .grad_cam import deepest_layer, grad_cam
from .judged_network import JudgedNetwork
from .matching import PairCase, moved
from .outcomes import NetworkOutcome
from .segmentation import true_and_found

DEEPEST = "deepest"


def write_segmentation_folder(folder: Path, text: str, content: Mapping[str, Any], outcomes: Sequence[NetworkOutcome],
                              networks: Sequence[JudgedNetwork], what: str, frames: Sequence[FrameSource],
                              threshold: float, layers: Sequence[str] = ()) -> None:
    """Write report.md, report.json, box_plots.png, overlays.png and a Grad-CAM map per network and layer.

    Overlays show the worst, median and best case of the first network, the same ones for all. ``layers`` are names of
    layers, or "deepest"; the maps explain the median case. Raises UserError for a layer that is not there.
    """
    write_reports(folder, text, content, outcomes)
    chosen = extremes([one for one in outcomes if one.network == networks[0].name])
    rows = []
    for rank, outcome in chosen:
        frame = frames[outcome.number]()
        gray = gray_of(frame.attenuation, frame.usable)
        row = []
        for network in networks:
            truth, found = true_and_found(network, what, frame, threshold)
            dice = next(one.values["dice"] for one in outcomes
                        if one.network == network.name and one.number == outcome.number)
            row.append(Overlay(f"{network.name}, {frame.name}\n{rank} case, Dice {dice:.2f}", gray, found, truth))
        rows.append(row)
    save_overlays(rows, folder / "overlays.png")
    middle = frames[chosen[len(chosen) // 2][1].number]()
    for network in networks:
        for layer in layers:
            _write_map(folder, network, middle, layer)


def write_matching_folder(folder: Path, text: str, content: Mapping[str, Any], outcomes: Sequence[NetworkOutcome],
                          matchers: Mapping[str, AffineMatcher], cases: Sequence[PairCase]) -> None:
    """Write report.md, report.json, box_plots.png and overlays.png, the found silhouette against the X-ray's mask."""
    write_reports(folder, text, content, outcomes)
    first = next(iter(matchers))
    rows = []
    for rank, outcome in extremes([one for one in outcomes if one.network == first]):
        pair = cases[outcome.number].make()
        gray = 1.0 - 0.5 * pair.moving
        fixed = pair.fixed > 0.5
        row = []
        for name, matcher in matchers.items():
            found = moved(pair.moving, matcher.match(pair.moving, pair.fixed).affine)
            row.append(Overlay(f"{name}, {outcome.case}\n{rank} case", gray, found, fixed))
        rows.append(row)
    save_overlays(rows, folder / "overlays.png", "model before")


def write_reports(folder: Path, text: str, content: Mapping[str, Any], outcomes: Sequence[NetworkOutcome]) -> None:
    """Write report.md, report.json and box_plots.png."""
    (folder / "report.md").write_text(text, encoding="utf-8")
    save_json(folder / "report.json", content)
    save_box_plots(outcomes, folder / "box_plots.png")


def _write_map(folder: Path, network: JudgedNetwork, frame: EvaluationFrame, layer: str) -> None:
    module = load_network(load_card(network.card_path(frame)))
    size = (NETWORK_SIZE, NETWORK_SIZE)
    image = normalise(resize(frame.attenuation, *size), resize(frame.usable, *size) > 0.99)
    name = deepest_layer(module, image) if layer == DEEPEST else layer
    heat = resize(grad_cam(module, image, name, network.channel(frame)), *frame.attenuation.shape)
    save_grad_cam(f"{network.name}, layer {name}", gray_of(frame.attenuation, frame.usable), heat,
                  folder / f"grad_cam_{network.name}_{name.replace('.', '-')}.png")
