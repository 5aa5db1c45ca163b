"""Fine-tuning in another process, as the panel starts, follows and ends it.

Run by Testing/Python/test_suture_panel.py in a process of its own.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from panel_user import said
from shown_points import nodeOf


@pytest.fixture
def launched(panel):
    """The command lines of fine-tunings; instead of training, a process runs what ``launched.program`` says."""
    class Launched(list):
        program = "import time; time.sleep(60)"

        def __call__(self, arguments):
            self.append(list(arguments))
            return subprocess.Popen([sys.executable, "-c", self.program], stdout=subprocess.PIPE, text=True)

    panel.logic._launch = Launched()
    return panel.logic._launch


def startFineTuning(panel, folder: Path) -> None:
    panel.ui.labelledCheckBox.click()
    panel.ui.trainingPathLineEdit.currentPath = str(folder)
    panel.ui.fineTuneButton.click()


def wait(panel) -> None:
    """Until the other process has ended, and the panel has seen it."""
    panel._training._work._process.wait()
    panel._training.look()


def testFineTuningIsCancelled(panel, detected, launched, tmp_path):
    panel.ui.fineTuneButton.click()
    assert launched == []
    startFineTuning(panel, tmp_path / "tuned")
    [arguments] = launched
    assert arguments[0] == "train"
    labels = Path(arguments[arguments.index("--labels") + 1])
    assert sorted(path.name for path in labels.iterdir()) == ["frame_000.json", "frame_000.png"]
    assert panel.ui.fineTuneButton.text.startswith("Cancel")
    panel._training.look()
    assert panel._training._work is not None
    panel.ui.fineTuneButton.click()
    assert panel._training._work is None
    assert "cancelled" in said(panel.ui.trainingMessageLabel)
    assert panel.ui.fineTuneButton.text == "Fine-tune"
    assert panel.ui.trainedPathLineEdit.currentPath == ""


def testFineTunedNetworkIsUsed(panel, detected, launched, tmp_path):
    launched.program = "print('On 3 held-out frames: F1 0.500 before, 0.900 after.')"
    startFineTuning(panel, tmp_path / "tuned")
    wait(panel)
    assert panel.ui.trainedPathLineEdit.currentPath == str(tmp_path / "tuned" / "network")
    assert "0.900 after" in said(panel.ui.trainingMessageLabel)


def testFailedFineTuningSaysWhy(panel, detected, launched, tmp_path):
    launched.program = "import sys; print('There are too few frames: label more.'); sys.exit(2)"
    startFineTuning(panel, tmp_path / "tuned")
    wait(panel)
    assert said(panel.ui.trainingMessageLabel) == "There are too few frames: label more."
    panel.ui.fineTuneButton.click()
    assert "not empty" in said(panel.ui.trainingMessageLabel)


def testFineTuningSpeaksTheCommandLine(panel, truth, tmp_path):
    """The real command line understands the order, and refuses a single frame in one sentence."""
    panel.ui.addEntryButton.click()
    nodeOf(panel, "entries").AddControlPoint(-10.0, -20.0, 0.0)
    work = panel.logic.fineTune(panel.session.node.volume, tmp_path / "tuned", 10, None, "cpu")
    work._process.wait(120)
    with pytest.raises(Exception, match="label at least"):
        work.result()
