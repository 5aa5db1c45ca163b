"""One host for the process, a fresh scene and panel for every scenario."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1])]

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
MODULE_FILE = Path(__file__).parents[3] / "VesselRegistration" / "VesselRegistration.py"


@pytest.fixture(scope="session")
def host():
    """The running host."""
    from panelhost.host import Host

    return Host()


@pytest.fixture
def silence(host):
    """The host's records; a scenario must end without a popup and without an error in a slot or observer."""
    host.notice.popups.clear()
    host.notice.errors.clear()
    yield host.notice
    assert host.notice.errors == []
    assert host.notice.popups == []


@pytest.fixture(scope="session")
def filesRead():
    """What was read of the X-ray files of the sample case: each is read once for all scenarios."""
    return {}


@pytest.fixture
def panel(host, silence, filesRead, monkeypatch):
    """The panel of the module, open on an empty scene."""
    import slicer

    slicer.mrmlScene.Clear(False)
    widget = host.openPanel(MODULE_FILE)
    xrayFiles = sys.modules["VesselRegistrationLib.scene.xrayFiles"]
    read = xrayFiles.open_xa

    def readOnce(path, *arguments):
        if "SampleCase" not in Path(path).parts or arguments:
            return read(path, *arguments)
        if path not in filesRead:
            filesRead[path] = read(path)
        return filesRead[path]

    monkeypatch.setattr(xrayFiles, "open_xa", readOnce)
    yield widget
    widget = slicer.modules.VesselRegistrationWidget
    host.close(widget)
    widget.parent.hide()
    slicer.mrmlScene.Clear(False)
