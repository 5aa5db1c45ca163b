"""``python -m panelhost.screenshot OUT_FOLDER [--scale 2] [--dark]``: a picture of every step, for people to look at.

The workflow of the tutorial is clicked through on the sample case; after each step the panel and the views beside it
become one PNG. Pictures are reduced to a palette so that they stay small.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

MODULE_FILE = Path(__file__).parents[3] / "VesselRegistration" / "VesselRegistration.py"
STEPS = ("data", "projection", "segmentation", "registration", "review", "cine")
WIDTH = 470
LARGEST_BYTES = 200_000
SIGNALS = (46, 158, 79, 217, 142, 4, 208, 59, 59, 58, 130, 200, 226, 112, 58)
"""Red, green and blue of what few pixels show and nobody may miss: the traffic light and the icons."""

VIEWS = ("HybridORXray1", "HybridORXray2", "HybridORCArm", "HybridORRoom")


def main() -> int:
    """Click through the workflow and save the pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--scale", type=float, default=1.0, help="factor of the screen's scaling, e.g. 2")
    parser.add_argument("--dark", action="store_true", help="dark colours, as in Slicer's dark mode")
    chosen = parser.parse_args()
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    os.environ["QT_SCALE_FACTOR"] = str(chosen.scale)
    from .host import Host
    from .views import drawingProblem

    problem = drawingProblem()
    if problem:
        print(problem, file=sys.stderr)
        return 1
    chosen.out.mkdir(parents=True, exist_ok=True)
    host = Host()
    if chosen.dark:
        _darken()
    widget = host.openPanel(MODULE_FILE)
    for name, step in tutorial(widget):
        host.settle()
        _save(chosen.out / f"VesselRegistration-{name}.png", _panel(host, widget, step), _views(host))
    host.close(widget)
    return 1 if host.notice.errors or host.notice.popups else 0


def tutorial(widget: Any) -> Iterator[tuple[str, str]]:
    """The clicks of the README's tutorial; gives a picture's name and the step to show when it is to be taken."""
    ui = widget.ui
    ui.sampleButton.click()
    yield "1-data", "data"
    ui.placeRoiButton.click()
    yield "2-projection", "projection"
    ui.wholeImageButton.click()
    ui.findVesselsButton.click()
    yield "3-segmentation", "segmentation"
    ui.maskCheckBox.checked = False
    ui.startComboBox.currentIndex = 2
    yield "4-start", "registration"
    ui.startComboBox.currentIndex = 0
    ui.registerButton.click()
    yield "4-registration", "registration"
    ui.styleComboBox.currentIndex = 3
    yield "5-review", "review"
    ui.styleComboBox.currentIndex = 0
    ui.trackButton.click()
    yield "6-cine", "cine"


def _panel(host: Any, widget: Any, shown: str) -> np.ndarray:
    """The panel with one step open."""
    for step in STEPS:
        getattr(widget.ui, f"{step}CollapsibleButton").collapsed = step != shown
    panel = widget.parent
    panel.resize(WIDTH, 200)
    host.settle()
    panel.resize(WIDTH, max(panel.layout().totalMinimumHeightForWidth(WIDTH), 560))
    host.settle()
    return _pixels(panel.grab().toImage())


def _views(host: Any) -> np.ndarray:
    """The four views of the module's layout, two by two."""
    layout = host.application.layoutManager()
    pictures = [layout.sliceWidget(name).sliceView().picture() for name in VIEWS[:2]]
    pictures += [layout.threeDWidget(name).threeDView().picture() for name in VIEWS[2:]]
    pictures = [picture[::2, ::2] if picture.shape[0] > 700 else picture for picture in pictures]
    return np.vstack([np.hstack(pictures[:2]), np.hstack(pictures[2:])])


def _beside(panel: np.ndarray, views: np.ndarray) -> np.ndarray:
    from PIL import Image

    height = min(max(panel.shape[0], 560), 900)
    side = Image.fromarray(views).resize((height, height), Image.Resampling.LANCZOS)
    canvas = Image.new("RGB", (panel.shape[1] + height, max(panel.shape[0], height)), (0, 0, 0))
    canvas.paste(tuple(int(value) for value in panel[-1, -1]), (0, 0, panel.shape[1], canvas.height))
    canvas.paste(Image.fromarray(panel), (0, 0))
    canvas.paste(side, (panel.shape[1], 0))
    return np.asarray(canvas)


def _save(path: Path, panel: np.ndarray, views: np.ndarray) -> None:
    """Save with a palette in which the few colours of the panel have a place beside the many grays of the views."""
    from PIL import Image

    whole = _beside(panel, views)
    for colors in ((32, 216), (32, 110), (24, 56)):
        both = list(SIGNALS)
        for picture, count in zip((panel, views), colors, strict=True):
            both += Image.fromarray(picture).quantize(count, dither=Image.Dither.NONE).getpalette()[:3 * count]
        palette = Image.new("P", (1, 1))
        palette.putpalette(both)
        Image.fromarray(whole).quantize(palette=palette, dither=Image.Dither.NONE).save(path, optimize=True)
        if path.stat().st_size < LARGEST_BYTES:
            break
    print(path, path.stat().st_size)


def _pixels(image: Any) -> np.ndarray:
    """A QImage as (rows, columns, 3) uint8."""
    from PySide6 import QtGui

    converted = image.convertToFormat(QtGui.QImage.Format.Format_RGB888)
    rows = np.frombuffer(converted.constBits(), np.uint8).reshape(converted.height(), converted.bytesPerLine())
    return rows[:, :3 * converted.width()].reshape(converted.height(), converted.width(), 3).copy()


def _darken() -> None:
    """The palette of a dark desktop."""
    from PySide6 import QtGui, QtWidgets

    role = QtGui.QPalette.ColorRole
    palette = QtGui.QPalette(QtGui.QColor(53, 53, 53))
    for roles, color in (((role.Window, role.Button), (53, 53, 53)), ((role.Base, role.ToolTipBase), (35, 35, 35)),
                         ((role.WindowText, role.Text, role.ButtonText, role.ToolTipText), (230, 230, 230))):
        for each in roles:
            palette.setColor(each, QtGui.QColor(*color))
    for each in (role.WindowText, role.Text, role.ButtonText):
        palette.setColor(QtGui.QPalette.ColorGroup.Disabled, each, QtGui.QColor(127, 127, 127))
    QtWidgets.QApplication.setPalette(palette)


if __name__ == "__main__":
    sys.exit(main())
