"""Step 3: the vessels in the X-rays, by the network and by hand."""

from typing import Any

import slicer
from slicer.i18n import tr as _

from ..networks.device_networks import device_network
from ..networks.device_report import device_report
from ..scene.deviceBridge import devicesOf, setDevicesVisible
from ..scene.gradCamBridge import explainVessels, explanationOf
from ..scene.maskBridge import dropEdits, editedNode, editMask, isEdited, isFound, takeEdits, thresholdAnew
from .choiceBox import ChoiceBox
from .dependencies import ensureNetworks
from .networkLine import NetworkLine, ownFile
from .nodeFollower import Followed
from .parameters import DEVICES, FIELDS_OF_VIEW
from .session import PanelSession
from .step import Step


class SegmentationStep(Step):
    """Find vessels, choose the threshold, edit the mask; find devices where a network for them is shipped."""

    name = "segmentation"

    def __init__(self, ui: Any, session: PanelSession) -> None:
        """Connect the widgets; threshold and check boxes belong to the parameter node."""
        super().__init__(ui, session)
        words = (_("As header and image say"), _("Lower: abdomen to legs"), _("Upper: chest"))
        fields = list(zip(FIELDS_OF_VIEW, words, strict=True))
        self._devices = list(zip(DEVICES, (_("Automatic"), _("Processor (CPU)"), _("CUDA")), strict=True))
        self._choices = [ChoiceBox(ui.fieldOfViewComboBox, session, "fieldOfView", fields),
                         ChoiceBox(ui.deviceComboBox, session, "device",
                                   self._devices if device_report().cuda else self._devices[:2])]
        self._ownNetworks = [NetworkLine(ui.vesselNetworkPathLineEdit, session, "vesselNetwork"),
                             NetworkLine(ui.catheterNetworkPathLineEdit, session, "catheterNetwork")]
        self.connectLong(ui.findVesselsButton, ui.segmentationProgressBar, self._find)
        self.connectLong(ui.findDevicesButton, ui.devicesProgressBar, self._findDevices)
        self._deviceNetwork = device_network()
        self.connect(ui.editMaskButton, "clicked(bool)", self._edit)
        self.connect(ui.dropEditsButton, "clicked(bool)", self._dropEdits)
        ui.thresholdSlider.connect("valueChanged(double)", lambda *_signal: self.attempt(self._threshold))

    def update(self) -> None:
        """Enable the step where there is an X-ray; say what has been found."""
        ui = self.ui
        for choice in self._choices:
            choice.update()
        for line in self._ownNetworks:
            line.update()
        xrays = [xray for xray in self.session.xrays if xray.GetImageData() is not None]
        ui.deviceLabel.text = device_report().words
        self.frame.enabled = ui.findVesselsButton.enabled = bool(xrays)
        found, edited = [isFound(xray) for xray in xrays], [isEdited(xray) for xray in xrays]
        ui.thresholdSlider.enabled = not any(edited)
        ui.editMaskButton.enabled = any(found)
        ui.dropEditsButton.visible = any(edited)
        ui.gradCamCheckBox.enabled = any(found)
        ui.findDevicesButton.visible = self._deviceNetwork is not None
        ui.findDevicesButton.enabled = bool(xrays)
        ui.devicesCheckBox.visible = any(devicesOf(xray) for xray in xrays)
        for xray in xrays:
            setDevicesVisible(xray, self.session.node.showDevices)
        if self.session.node.showGradCam:
            self.guarded(self._explain, xrays)
        self.done(bool(found) and all(found))
        if not xrays:
            self.hint(_("Choose or load an X-ray."))
        elif any(edited):
            self.hint(_("The edited mask is used for the registration."))
        elif all(found):
            self.hint(_("These masks are used for the registration."))
        else:
            self.hint(_("Optional: the registration finds the vessels itself where this is not done."))

    def followed(self) -> list[Followed]:
        """Masks that the user edits."""
        return [(editedNode(xray), slicer.vtkSegmentation.SourceRepresentationModified, self._editsChanged)
                for xray in self.session.xrays]

    def _editsChanged(self) -> None:
        for xray in self.session.xrays:
            takeEdits(xray)
        self.session.refresh()

    def _find(self) -> None:
        session, node = self.session, self.session.node
        ensureNetworks()
        session.logic.findVessels(session.xrays, node.fieldOfView, node.device, node.threshold, session.showProgress,
                                  session.shouldStop, ownFile(node.vesselNetwork))
        if session.node is not None:
            session.node.showMask = True

    def _findDevices(self) -> None:
        session, node = self.session, self.session.node
        ensureNetworks()
        network = ownFile(node.catheterNetwork) or self._deviceNetwork
        count = session.logic.findDevices(session.xrays, network, node.device, session.showProgress,
                                          session.shouldStop)
        self.say(_("{count} devices found.").format(count=count) if count else _("No devices found."))

    def _explain(self, xrays: list[slicer.vtkMRMLScalarVolumeNode]) -> None:
        """Work out what the network looked at, where that is not known yet."""
        for xray in xrays:
            if isFound(xray) and explanationOf(xray) is None:
                explainVessels(xray)

    def _threshold(self) -> None:
        for xray in self.session.xrays:
            thresholdAnew(xray, self.ui.thresholdSlider.value)

    def _edit(self) -> None:
        """Open Segment Editor on the X-ray that is looked at, or on the first one that has a mask."""
        xrays = [xray for xray in self.session.xrays if isFound(xray)]
        chosen = xrays[-1] if self.ui.viewComboBox.currentIndex == 1 else xrays[0]
        segmentation = editMask(chosen)
        slicer.util.selectModule("SegmentEditor")
        editor = slicer.modules.segmenteditor.widgetRepresentation().self().editor
        editor.setSegmentationNode(segmentation)
        editor.setSourceVolumeNode(chosen)

    def _dropEdits(self) -> None:
        for xray in self.session.xrays:
            dropEdits(xray, self.session.node.threshold)
