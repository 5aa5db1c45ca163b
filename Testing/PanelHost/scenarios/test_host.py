"""The host itself: as strict as PythonQt, and never a silent placeholder."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.usefixtures("host", "silence")


def testPropertiesAreAttributes():
    import qt

    button = qt.QPushButton("Go")
    button.enabled = False
    button.toolTip = "why"
    assert (button.text, button.enabled, button.toolTip) == ("Go", False, "why")
    assert isinstance(button, qt.QWidget)
    assert not isinstance(button, qt.QLabel)


def testWhatDoesNotExistRaises():
    import ctk
    import qt
    import slicer

    label = qt.QLabel()
    for attempt in (lambda: label.wrong, lambda: setattr(label, "wrong", 1), lambda: qt.QNothing,
                    lambda: ctk.ctkNothing, lambda: qt.QMessageBox, lambda: slicer.modules.nothing):
        with pytest.raises(AttributeError):
            attempt()
    with pytest.raises(TypeError):
        label.text()  # a property in PythonQt, not a method
    with pytest.raises(ValueError, match="no signal"):
        label.connect("clicked(bool)", print)
    with pytest.raises(TypeError):
        qt.QSpinBox().value = "many"


def testConnectAndDisconnect():
    import qt

    button, calls = qt.QPushButton(), []

    def plain():
        calls.append("plain")

    button.connect("clicked()", plain)
    button.connect("clicked(bool)", calls.append)
    button.click()
    assert calls == ["plain", False]
    button.disconnect("clicked()", plain)
    button.click()
    assert calls == ["plain", False, False]


@pytest.mark.parametrize("body", [
    '<widget class="ctkUnknown" name="a"/>',
    '<widget class="QLabel" name="a"><property name="nodeTypes"><string>x</string></property></widget>',
])
def testInterfaceFilesAreChecked(tmp_path, body):
    import slicer

    path = tmp_path / "a.ui"
    path.write_text(f'<ui version="4.0"><class>p</class><widget class="qMRMLWidget" name="p">{body}</widget></ui>')
    with pytest.raises((AttributeError, ValueError)):
        slicer.util.loadUI(str(path))


def testErrorsInSlotsAndPopupsAreRecorded(host):
    import qt
    import slicer

    button = qt.QPushButton()
    button.connect("clicked()", lambda: 1 / 0)
    button.click()
    with pytest.raises(KeyError), slicer.util.tryWithErrorDisplay("Failed."):
        raise KeyError("x")
    assert "ZeroDivisionError" in host.notice.errors.pop()
    assert host.notice.popups.pop().startswith("errorDisplay: Failed.")
