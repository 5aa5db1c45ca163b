"""Pictures of an evaluation: box plots, overlays of the worst, median and best case, Grad-CAM maps; PNG files."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..rendering.pictures import FALSE_NEGATIVE, FALSE_POSITIVE, TRUE_POSITIVE
from .outcomes import NetworkOutcome, grouped, values_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

BOXES = (("dice", "Dice"), ("precision", "Precision"), ("recall", "Recall"))
EXTREMES = ("worst", "median", "best")

_PERCENTILES = (1.0, 99.5)
_DIMMED = 0.6


@dataclass(frozen=True)
class Overlay:
    """One cell of a sheet: a picture 0..1 (rows, columns), larger = brighter, with a found and a true mask, bool."""

    title: str
    gray: np.ndarray
    found: np.ndarray
    truth: np.ndarray


def save_box_plots(outcomes: Sequence[NetworkOutcome], path: Path) -> None:
    """Dice, precision and recall per domain and network, as in Figs. 5 and 8 of Li et al.

    Boxes span the quartiles, whiskers one and a half of their distance.
    """
    domains = grouped(outcomes, lambda one: one.domain)
    networks = list(grouped(outcomes, lambda one: one.network))
    figure = _figure(min(24.0, 4.0 + 1.1 * len(domains) * max(2, len(networks))), 4.5)
    axes = figure.subplots(1, len(BOXES), sharey=True)
    width = 0.8 / len(networks)
    for place, (key, title) in zip(axes, BOXES, strict=True):
        for number, network in enumerate(networks):
            values = [values_of([one for one in group if one.network == network], key) for group in domains.values()]
            middles = np.arange(len(domains)) + (number - (len(networks) - 1) / 2) * width
            boxes = place.boxplot(values, positions=middles, widths=0.85 * width, patch_artist=True, manage_ticks=False,
                                  medianprops={"color": "black"}, flierprops={"markersize": 3})
            for box in boxes["boxes"]:
                box.set(facecolor=f"C{number}", alpha=0.7)
            place.plot([], [], "s", color=f"C{number}", label=network)
        place.set(title=title, ylim=(-0.02, 1.02), xlim=(-0.6, len(domains) - 0.4))
        place.set_xticks(range(len(domains)), list(domains), rotation=30 if len(domains) > 2 else 0)
        place.grid(axis="y", alpha=0.3)
    axes[-1].legend(fontsize=8)
    figure.savefig(path, dpi=110)


def extremes(outcomes: Sequence[NetworkOutcome], key: str = "dice") -> list[tuple[str, NetworkOutcome]]:
    """The worst, the median and the best case of one network, fewer where there are fewer cases."""
    ranked = sorted(outcomes, key=lambda one: one.values[key])
    places = dict.fromkeys((0, (len(ranked) - 1) // 2, len(ranked) - 1))
    names = EXTREMES if len(places) == len(EXTREMES) else ("worst", "best") if len(places) == 2 else ("only",)
    return [(name, ranked[place]) for name, place in zip(names, places, strict=True)]


def save_overlays(rows: Sequence[Sequence[Overlay]], path: Path, plain: str = "X-ray") -> None:
    """A sheet of overlays, as in Figs. 6 and 9 of Li et al.: hits yellow, false marks magenta, misses cyan.

    Every row begins with the plain picture of its first overlay, under the title ``plain``.
    """
    columns = 1 + max(len(row) for row in rows)
    figure = _figure(3.2 * columns, 3.5 * len(rows) + 0.4)
    places = figure.subplots(len(rows), columns, squeeze=False)
    for line, row in zip(places, rows, strict=True):
        pictures = [(plain, row[0].gray), *((one.title, overlap_picture(one)) for one in row)]
        _show(line, pictures)
    figure.suptitle("yellow: hit   magenta: marked wrongly   cyan: missed", fontsize=9)
    figure.savefig(path, dpi=110)


def overlap_picture(overlay: Overlay) -> np.ndarray:
    """Hits, false marks and misses in colour on the dimmed picture, (rows, columns, 3) float 0..1."""
    picture = np.repeat(_DIMMED * overlay.gray[..., None], 3, axis=2)
    for pixels, colour in ((overlay.found & overlay.truth, TRUE_POSITIVE),
                           (overlay.found & ~overlay.truth, FALSE_POSITIVE),
                           (overlay.truth & ~overlay.found, FALSE_NEGATIVE)):
        picture[pixels] = np.array(colour) / 255.0
    return picture


def save_grad_cam(title: str, gray: np.ndarray, heat: np.ndarray, path: Path) -> None:
    """Picture, map and both together, as in Fig. 7 of Li et al.; ``gray`` and ``heat`` (rows, columns), 0 to 1."""
    from matplotlib import colormaps

    colours = colormaps["jet"](heat)[..., :3]
    both = np.clip(0.55 * gray[..., None] + 0.45 * colours, 0.0, 1.0)
    figure = _figure(9.6, 3.8)
    _show(figure.subplots(1, 3), [("A: X-ray", gray), (f"B: {title}", colours), ("C: A and B", both)])
    figure.savefig(path, dpi=110)


def gray_of(attenuation: np.ndarray, usable: np.ndarray) -> np.ndarray:
    """An X-ray (rows, columns) as it is looked at: 0 black where most is attenuated, 1 white."""
    values = attenuation[usable] if usable.any() else attenuation
    low, high = np.percentile(values, _PERCENTILES)
    return np.where(usable, 1.0 - np.clip((attenuation - low) / max(float(high - low), 1e-9), 0.0, 1.0), 0.0)


def _figure(width: float, height: float) -> "Figure":
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def _show(places: Any, pictures: Sequence[tuple[str, np.ndarray]]) -> None:
    for place in places:
        place.axis("off")
    for place, (title, picture) in zip(places, pictures, strict=False):
        place.imshow(picture, cmap="gray" if picture.ndim == 2 else None, vmin=0.0, vmax=1.0, interpolation="nearest")
        place.set_title(title, fontsize=8)
