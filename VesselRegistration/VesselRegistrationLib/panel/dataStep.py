"""Step 1: which model, which X-rays, and what their headers say about the C-arm."""

from typing import Any

import slicer
from slicer.i18n import tr as _

from ..errors import UserError
from ..scene.xrayFiles import reportOf
from .dependencies import ensureReading
from .geometryEditor import GeometryEditor
from .session import PanelSession
from .step import Step
from .texts import reportAsHtml

MODEL_SPACES = ("auto", "RAS", "LPS")
MODEL_UNITS = ("mm", "cm", "m")


class DataStep(Step):
    """Model, X-rays, sanity report and geometry."""

    name = "data"

    def __init__(self, ui: Any, session: PanelSession) -> None:
        """Connect the widgets."""
        super().__init__(ui, session)
        for item in MODEL_SPACES:
            ui.modelSpaceComboBox.addItem(item)
        for item in MODEL_UNITS:
            ui.modelUnitComboBox.addItem(item)
        for words in (_("X-ray"), _("Second view")):
            ui.viewComboBox.addItem(words)
        self.connect(ui.sampleButton, "clicked(bool)", self._loadSample)
        self.connect(ui.loadModelButton, "clicked(bool)", self._loadModel)
        self.connect(ui.loadXrayButton, "clicked(bool)", self._loadXray, "xray")
        self.connect(ui.loadSecondXrayButton, "clicked(bool)", self._loadXray, "secondXray")
        self.connect(ui.viewComboBox, "currentIndexChanged(int)", lambda: None)
        self.connect(ui.frameSpinBox, "valueChanged(int)", self._showFrame)
        self._geometryEditor = GeometryEditor(ui, self.attempt)
        self._report = ""

    def update(self) -> None:
        """Say what is missing; report, geometry and frames of the X-ray that is looked at."""
        self.guarded(self._adopt)
        ui, missing = self.ui, self.session.missing
        self.hint(missing)
        self.done(not missing)
        ui.viewComboBox.enabled = self.session.node.secondXray is not None
        xray = self._looked()
        if xray is not None and xray.GetImageData() is None:
            xray = None
        self._geometryEditor.show(xray)
        report = reportAsHtml(reportOf(xray)) if xray else ""
        ui.reportBrowser.visible = bool(report)
        if self._report != report:  # a new text scrolls back to the top
            self._report = report
            ui.reportBrowser.html = report
        number, count = self.session.logic.frameRange(xray) if xray else (0, 1)
        wasBlocked = ui.frameSpinBox.blockSignals(True)  # only the user's changes choose a frame
        ui.frameSpinBox.maximum, ui.frameSpinBox.value = count - 1, number
        ui.frameSpinBox.enabled = count > 1
        ui.frameSpinBox.blockSignals(wasBlocked)

    def _looked(self) -> slicer.vtkMRMLScalarVolumeNode | None:
        node = self.session.node
        second = self.ui.viewComboBox.currentIndex == 1 and node.secondXray is not None
        return node.secondXray if second else node.xray

    def _loadSample(self) -> None:
        ensureReading()
        model, xrays = self.session.logic.loadSampleCase()
        node = self.session.node
        with slicer.util.NodeModify(node):  # one update of the views, not three
            node.model, node.xray, node.secondXray = model, xrays[0], xrays[1]

    def _loadModel(self) -> None:
        ui = self.ui
        if not ui.modelPathLineEdit.currentPath:
            raise UserError(_("No model file is named: choose a VTP, VTK, STL, OBJ or PLY file first."))
        space = None if ui.modelSpaceComboBox.currentIndex == 0 else ui.modelSpaceComboBox.currentText
        self.session.node.model = self.session.logic.loadModel(ui.modelPathLineEdit.currentPath, space,
                                                               ui.modelUnitComboBox.currentText)

    def _loadXray(self, field: str) -> None:
        path = self.ui.xrayPathLineEdit.currentPath
        if not path:
            raise UserError(_("No X-ray file is named: choose an XA DICOM file first."))
        ensureReading()
        setattr(self.session.node, field, self.session.logic.loadXray(path))

    def _showFrame(self) -> None:
        xray = self._looked()
        if xray is not None and self.session.logic.frameRange(xray)[0] != self.ui.frameSpinBox.value:
            self.session.logic.showFrame(xray, self.ui.frameSpinBox.value)

    def _adopt(self) -> None:
        """Use the DICOM file behind an X-ray that Slicer's DICOM module loaded."""
        node = self.session.node
        for field in ("xray", "secondXray"):
            xray = getattr(node, field)
            if xray is not None and xray.GetImageData() is not None:
                adopted = self.session.logic.xrayToUse(xray)
                if adopted is not xray:
                    setattr(node, field, adopted)
