"""``python -m panelhost.suture_screenshots [FOLDER] [--weights TRAINING]``: the panel of Suture Detection, its views.

Writes SutureDetection.png (points and stitches), SutureDetectionComparison.png (against labels) and
SutureDetectionStereo.png (in space), all of synthetic frames, with the network that comes with the module or that of a
training.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np

MODULE_FILE = Path(__file__).parents[3] / "SutureDetection" / "SutureDetection.py"
FOLDER = Path(__file__).parents[3] / "Resources" / "Screenshots"
HEIGHT, PANEL_WIDTH, VIEW_WIDTH = 760, 500, 900
COLOURS = 256


def main() -> int:
    """Click through the panel, and save pictures on the way."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", default=FOLDER, help="default: Resources/Screenshots")
    parser.add_argument("--weights", type=Path, help="folder of a training")
    parser.add_argument("--frame", type=int, default=4, help="frame of the synthetic video, from 0")
    chosen = parser.parse_args()
    chosen.folder.mkdir(parents=True, exist_ok=True)
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    sys.path.insert(0, str(MODULE_FILE.parents[1] / "VesselRegistration"))  # Slicer knows the folders of all modules
    import slicer

    from .host import Host
    from .scene_logics import sceneLogics

    host = Host()
    logics = sceneLogics(slicer.mrmlScene)
    widget = host.openPanel(MODULE_FILE)
    ui = widget.ui
    if chosen.weights is not None:
        ui.trainedPathLineEdit.currentPath = str(chosen.weights)
    ui.sampleButton.click()
    ui.detectButton.click()
    ui.frameSlider.value = chosen.frame
    save(host, widget, chosen.folder / "SutureDetection.png")
    for name in ("frames", "correction"):
        getattr(ui, f"{name}CollapsibleButton").collapsed = True
    ui.comparisonCollapsibleButton.collapsed = False
    ui.comparisonCheckBox.click()
    save(host, widget, chosen.folder / "SutureDetectionComparison.png")
    ui.comparisonCheckBox.click()
    ui.comparisonCollapsibleButton.collapsed = True
    ui.spaceCollapsibleButton.collapsed = False
    ui.stereoSampleButton.click()
    ui.detectButton.click()
    ui.reconstructButton.click()
    save(host, widget, chosen.folder / "SutureDetectionStereo.png", space=True)
    said = [label.text for label in (ui.detectionMessageLabel, ui.spaceMessageLabel)]
    print("\n".join(filter(None, said)))
    host.close(widget)
    slicer.app.layoutManager().close()
    for logic in logics:
        logic.SetMRMLScene(None)
    return 1 if host.notice.errors else 0


def save(host: Any, widget: Any, path: Path, space: bool = False) -> None:
    """Panel, frame and, where wanted, the view in space, side by side."""
    import slicer
    from PIL import Image
    from SutureDetectionLib.scene.endoscopyView import FRAME_VIEW, SPACE_VIEW, lookAtSpace

    layout = slicer.app.layoutManager()
    host.settle()
    frame = layout.sliceWidget(FRAME_VIEW)
    frame.sliceView().resize(VIEW_WIDTH // 2 if space else VIEW_WIDTH, HEIGHT)
    frame.sliceLogic().FitSliceToBackground()
    pictures = [panelPicture(host, widget), frame.sliceView().picture()]
    if space:
        view = next(layout.threeDWidget(number) for number in range(layout.threeDViewCount)
                    if layout.threeDWidget(number).mrmlViewNode().GetSingletonTag() == SPACE_VIEW).threeDView()
        view.resize(VIEW_WIDTH // 2, HEIGHT)
        lookAtSpace(widget.session.series)
        pictures.append(view.picture())
    Image.fromarray(np.concatenate(pictures, axis=1)).quantize(
        COLOURS, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE).save(path, optimize=True)


def panelPicture(host: Any, widget: Any) -> np.ndarray:
    """The panel (HEIGHT, PANEL_WIDTH, 3) uint8, its top where it is longer."""
    from PySide6 import QtGui

    widget.parent.resize(PANEL_WIDTH, HEIGHT)
    host.settle()
    image = widget.parent.grab().toImage().convertToFormat(QtGui.QImage.Format.Format_RGB888)
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    pixels = rows[:, : 3 * image.width()].reshape(image.height(), image.width(), 3)
    picture = np.full((HEIGHT, PANEL_WIDTH, 3), 240, np.uint8)
    shown = pixels[:HEIGHT, :PANEL_WIDTH]
    picture[:len(shown), :shown.shape[1]] = shown
    return picture


if __name__ == "__main__":
    sys.exit(main())
