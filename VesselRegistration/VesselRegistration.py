"""Registration of a vessel model from CTA to X-ray angiography: the panel, its logic and its self-test."""

import sys
from collections.abc import Callable, Sequence
from typing import Annotated

import slicer
import vtk
from slicer import (
    vtkMRMLLinearTransformNode,
    vtkMRMLMarkupsROINode,
    vtkMRMLModelNode,
    vtkMRMLScalarVolumeNode,
)
from slicer.i18n import tr as _
from slicer.i18n import translate
from slicer.parameterNodeWrapper import WithinRange, parameterNodeWrapper
from slicer.ScriptedLoadableModule import (
    ScriptedLoadableModule,
    ScriptedLoadableModuleLogic,
    ScriptedLoadableModuleTest,
    ScriptedLoadableModuleWidget,
)
from slicer.util import VTKObservationMixin
from VesselRegistrationLib.errors import Cancelled, UserError

METHODS = ("pose", "affine")
DEVICES = ("auto", "cpu", "cuda")
FIELDS_OF_VIEW = ("auto", "lower", "upper")
GEOMETRY_BOXES = {"primarySpinBox": "primary_angle_deg", "secondarySpinBox": "secondary_angle_deg",
                  "sidSpinBox": "sid_mm", "sodSpinBox": "sod_mm", "spacingSpinBox": "pixel_spacing_mm"}
SAMPLE_NAME = "HybridOR simulated aorta"


class VesselRegistration(ScriptedLoadableModule):
    """The module as Slicer lists it."""

    def __init__(self, parent) -> None:
        ScriptedLoadableModule.__init__(self, parent)
        self.parent.title = _("Vessel Registration")
        self.parent.categories = [translate("qSlicerAbstractCoreModule", "IGT")]
        self.parent.dependencies = []
        self.parent.contributors = ["The SlicerHybridOR contributors"]
        self.parent.helpText = _("Registers a vessel model made from CTA to X-ray angiography and shows both fused. "
                                 "Research software, not a medical device.")
        self.parent.acknowledgementText = _("After Li et al., Model-to-Image Registration via Deep Learning towards "
                                            "Image-Guided Endovascular Interventions.")


@parameterNodeWrapper
class VesselRegistrationParameterNode:
    """What the panel remembers with the scene."""

    model: vtkMRMLModelNode
    xray: vtkMRMLScalarVolumeNode
    secondXray: vtkMRMLScalarVolumeNode
    roi: vtkMRMLMarkupsROINode
    transform: vtkMRMLLinearTransformNode
    method: str = METHODS[0]
    device: str = DEVICES[0]
    fieldOfView: str = FIELDS_OF_VIEW[0]
    overlayOpacity: Annotated[float, WithinRange(0.0, 1.0)] = 0.5


class VesselRegistrationWidget(ScriptedLoadableModuleWidget, VTKObservationMixin):
    """The panel: says what is missing, hands over to the logic, shows what comes back."""

    def __init__(self, parent=None) -> None:
        ScriptedLoadableModuleWidget.__init__(self, parent)
        VTKObservationMixin.__init__(self)
        self.logic: VesselRegistrationLogic | None = None
        self._parameterNode = None
        self._parameterNodeGuiTag = None
        self._running = False
        self._stopRequested = False
        self._shownStart: tuple | None = None

    def setup(self) -> None:
        """Build the panel. Works without a main window and without torch."""
        ScriptedLoadableModuleWidget.setup(self)
        uiWidget = slicer.util.loadUI(self.resourcePath("UI/VesselRegistration.ui"))
        self.layout.addWidget(uiWidget)
        self.ui = slicer.util.childWidgetVariables(uiWidget)
        uiWidget.setMRMLScene(slicer.mrmlScene)
        self.logic = VesselRegistrationLogic()
        self._fillChoices()
        self._connect()
        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.StartCloseEvent, self.onSceneStartClose)
        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.EndCloseEvent, self.onSceneEndClose)
        self.initializeParameterNode()

    def cleanup(self) -> None:
        """Stop what runs and let go of the scene."""
        self._stopRequested = True
        self.removeObservers()
        self.setParameterNode(None)

    def enter(self) -> None:
        """The user came to the module."""
        self.initializeParameterNode()

    def exit(self) -> None:
        """The user left the module."""
        self.setParameterNode(None)

    def onSceneStartClose(self, caller, event) -> None:
        """Let go of the nodes that are about to go, and stop a registration of them."""
        self._stopRequested = True
        self.setParameterNode(None)

    def onSceneEndClose(self, caller, event) -> None:
        """Begin anew in the empty scene."""
        self.initializeParameterNode()

    def onReload(self) -> None:
        """Reload the algorithms with the module."""
        for name in [name for name in sys.modules if name.split(".")[0] == "VesselRegistrationLib"]:
            del sys.modules[name]
        ScriptedLoadableModuleWidget.onReload(self)

    def initializeParameterNode(self) -> None:
        """Use the scene's parameter node."""
        self.setParameterNode(self.logic.getParameterNode())

    def setParameterNode(self, parameterNode) -> None:
        """Let the widgets show a parameter node, and follow it."""
        if self._parameterNode:
            self._parameterNode.disconnectGui(self._parameterNodeGuiTag)
            self.removeObserver(self._parameterNode, vtk.vtkCommand.ModifiedEvent, self._update)
        self._parameterNode = parameterNode
        if self._parameterNode:
            self._parameterNodeGuiTag = self._parameterNode.connectGui(self.ui)
            self.addObserver(self._parameterNode, vtk.vtkCommand.ModifiedEvent, self._update)
        self._update()

    def _fillChoices(self) -> None:
        for box, items in ((self.ui.methodComboBox, METHODS), (self.ui.deviceComboBox, DEVICES),
                           (self.ui.fieldOfViewComboBox, FIELDS_OF_VIEW)):
            for item in items:
                box.addItem(item)

    def _connect(self) -> None:
        ui = self.ui
        ui.sampleButton.connect("clicked(bool)", lambda checked: self._attempt(self._loadSample))
        ui.loadModelButton.connect("clicked(bool)", lambda checked: self._attempt(self._loadModel))
        ui.loadXrayButton.connect("clicked(bool)", lambda checked: self._attempt(self._loadXray))
        ui.frameSpinBox.connect("valueChanged(int)", lambda value: self._attempt(self._showFrame))
        ui.placeRoiButton.connect("clicked(bool)", lambda checked: self._attempt(self._placeRoi))
        ui.wholeImageButton.connect("clicked(bool)", lambda checked: self._attempt(self._useWholeImage))
        ui.registerButton.connect("clicked(bool)", lambda checked: self.onRegister())
        for name in GEOMETRY_BOXES:
            getattr(ui, name).connect("editingFinished()", lambda name=name: self._attempt(self._giveGeometry, name))
        for box, field in ((ui.methodComboBox, "method"), (ui.deviceComboBox, "device"),
                           (ui.fieldOfViewComboBox, "fieldOfView")):
            box.connect("currentIndexChanged(int)", lambda index, box=box, field=field: self._choose(box, field))

    def _attempt(self, action: Callable, *arguments) -> None:
        """Do something for the user; what goes wrong is said in the panel."""
        if self._parameterNode is None or self._running:
            return
        try:
            self.ui.statusLabel.text = ""
            action(*arguments)
        except UserError as problem:
            self.ui.statusLabel.text = str(problem)
        self._update()

    def _choose(self, box, field: str) -> None:
        if self._parameterNode is not None:
            setattr(self._parameterNode, field, box.currentText)

    def _loadSample(self) -> None:
        model, xrays = self.logic.loadSampleCase()
        self._parameterNode.model, self._parameterNode.xray = model, xrays[0]
        self._parameterNode.secondXray = xrays[1]

    def _loadModel(self) -> None:
        if not self.ui.modelPathLineEdit.currentPath:
            raise UserError(_("No model file is named: choose a VTP, VTK, STL, OBJ or PLY file first."))
        self._parameterNode.model = self.logic.loadModel(self.ui.modelPathLineEdit.currentPath)

    def _loadXray(self) -> None:
        if not self.ui.xrayPathLineEdit.currentPath:
            raise UserError(_("No X-ray file is named: choose an XA DICOM file first."))
        self._parameterNode.xray = self.logic.loadXray(self.ui.xrayPathLineEdit.currentPath)

    def _adopt(self) -> None:
        """Use the DICOM file behind an X-ray that Slicer's DICOM module loaded."""
        for field in ("xray", "secondXray"):
            node = getattr(self._parameterNode, field)
            if node is not None and node.GetImageData() is not None:
                adopted = self.logic.adoptDicomVolume(node)
                if adopted is not node:
                    setattr(self._parameterNode, field, adopted)

    def _showFrame(self) -> None:
        node = self._parameterNode.xray
        if node and self.logic.frameRange(node)[0] != self.ui.frameSpinBox.value:
            self.logic.showFrame(node, self.ui.frameSpinBox.value)

    def _giveGeometry(self, boxName: str) -> None:
        from VesselRegistrationLib.scene.volumeBridge import giveGeometry

        node, value = self._parameterNode.xray, getattr(self.ui, boxName).value
        if node is not None and value != getattr(self.ui, boxName).minimum:
            giveGeometry(node, **{GEOMETRY_BOXES[boxName]: value})

    def _placeRoi(self) -> None:
        self._parameterNode.roi = self.logic.addRoi(self._parameterNode.model, self._parameterNode.xray)

    def _useWholeImage(self) -> None:
        roi, self._parameterNode.roi = self._parameterNode.roi, None
        if roi is not None:
            slicer.mrmlScene.RemoveNode(roi)

    def _update(self, caller=None, event=None) -> None:
        """Show what is there, and say what is missing."""
        from VesselRegistrationLib.panel.sliceView import setOverlayOpacity, showInSliceView
        from VesselRegistrationLib.panel.texts import geometryAsHtml, reportAsHtml
        from VesselRegistrationLib.scene.volumeBridge import geometryFromVolume
        from VesselRegistrationLib.scene.xrayFiles import reportOf

        ui, node = self.ui, self._parameterNode
        if node is not None and not self._running:
            try:
                self._adopt()
            except UserError as problem:
                ui.statusLabel.text = str(problem)
        xray = node.xray if node else None
        missing = self.logic.missing(node.model if node else None, self._xrays())
        ui.registerButton.enabled = self._running or not missing
        ui.registerButton.text = _("Cancel") if self._running else _("Register")
        ui.registerButton.toolTip = missing or _("Find the pose of the model that explains the X-ray")
        ui.placeRoiButton.enabled = not missing
        ui.missingLabel.text = missing
        ui.inputsFrame.enabled = not self._running
        if node is None:
            return
        for box, value in ((ui.methodComboBox, node.method), (ui.deviceComboBox, node.device),
                           (ui.fieldOfViewComboBox, node.fieldOfView)):
            box.currentText = value
        setOverlayOpacity(node.overlayOpacity)
        if xray is None or xray.GetImageData() is None:
            ui.reportBrowser.html, ui.geometryLabel.text = "", ""
            return
        geometry = geometryFromVolume(xray)
        ui.reportBrowser.html = reportAsHtml(reportOf(xray))
        ui.geometryLabel.text = geometryAsHtml(geometry)
        for boxName, field in GEOMETRY_BOXES.items():
            value = getattr(geometry, "row_spacing_mm" if field == "pixel_spacing_mm" else field)
            box = getattr(ui, boxName)
            box.value = box.minimum if value is None else value
        number, count = self.logic.frameRange(xray)
        ui.frameSpinBox.maximum, ui.frameSpinBox.value = count - 1, number
        start = (node.model, xray, geometry)
        if not missing and not self._running and node.transform is None and start != self._shownStart:
            self._shownStart = start
            showInSliceView(xray, self.logic.showStart(node.model, xray), node.overlayOpacity)

    def _xrays(self) -> list:
        node = self._parameterNode
        return [xray for xray in (node.xray, node.secondXray) if xray] if node else []

    def onRegister(self) -> None:
        """Register, or cancel the registration that runs."""
        from VesselRegistrationLib.panel.dependencies import ensurePackages
        from VesselRegistrationLib.panel.sliceView import showInSliceView
        from VesselRegistrationLib.panel.texts import measuresAsHtml, verdictAsHtml

        if self._running:
            self._stopRequested = True
            return
        node = self._parameterNode
        if node is None:
            return
        self._running, self._stopRequested = True, False
        self._update()
        try:
            ensurePackages()
            result, nodes = self.logic.process(node.model, self._xrays(), node.roi, method=node.method,
                                               device=node.device, fieldOfView=node.fieldOfView,
                                               progress=self._showProgress, shouldStop=lambda: self._stopRequested)
            self.ui.statusLabel.text = verdictAsHtml(result)
            self.ui.measuresLabel.text = measuresAsHtml(result)
            if nodes is not None:
                node.transform = nodes.transform
                showInSliceView(nodes.views[0].xray, nodes.views[0].silhouette, node.overlayOpacity)
        except (UserError, Cancelled) as problem:
            self.ui.statusLabel.text = str(problem)
        finally:
            self._running = False
            self.ui.progressBar.value = 0
            self._update()

    def _showProgress(self, fraction: float, text: str) -> None:
        self.ui.progressBar.value = int(100 * fraction)
        self.ui.progressBar.format = f"{text} %p%"
        slicer.app.processEvents()


class VesselRegistrationLogic(ScriptedLoadableModuleLogic):
    """The work on nodes, without widgets; also for scripts in the Python console."""

    def __init__(self) -> None:
        ScriptedLoadableModuleLogic.__init__(self)
        self._runs: dict = {}

    def getParameterNode(self) -> VesselRegistrationParameterNode:
        """The scene's parameter node in its typed form."""
        return VesselRegistrationParameterNode(super().getParameterNode())

    def loadModel(self, path: str, space: str | None = None, unit: str = "mm") -> vtkMRMLModelNode:
        """A model node from a mesh file (RAS or LPS as the file says, else LPS). Raises UserError."""
        from VesselRegistrationLib.mesh.reading import read_model
        from VesselRegistrationLib.scene.modelBridge import addModel

        return addModel(slicer.mrmlScene, read_model(path, space, unit))

    def loadXray(self, path: str) -> vtkMRMLScalarVolumeNode:
        """A volume node with the frame of strongest contrast of an XA file. Raises UserError."""
        from VesselRegistrationLib.scene.xrayFiles import addXrayFromFile

        node, run = addXrayFromFile(slicer.mrmlScene, path)
        self._runs[node.GetID()] = run
        return node

    def loadSampleCase(self) -> tuple[vtkMRMLModelNode, list[vtkMRMLScalarVolumeNode]]:
        """Model and two X-rays of the simulated case that comes with the extension."""
        from VesselRegistrationLib.resources import resource_directory

        sample = resource_directory() / "SampleCase"
        return self.loadModel(sample / "model.vtp"), [self.loadXray(sample / f"view_{k}.dcm") for k in range(2)]

    def frameRange(self, xrayNode: vtkMRMLScalarVolumeNode) -> tuple[int, int]:
        """Number of the frame that a volume shows (0-based), and how many can be shown."""
        from VesselRegistrationLib.scene.volumeBridge import frameFromVolume

        run = self._runs.get(xrayNode.GetID())
        return (frameFromVolume(xrayNode).frame_number, run.frame_count) if run else (0, 1)

    def showFrame(self, xrayNode: vtkMRMLScalarVolumeNode, frameNumber: int) -> None:
        """Let a volume loaded by this logic show another frame (0-based). Raises UserError."""
        from VesselRegistrationLib.scene.xrayFiles import showFrame

        showFrame(xrayNode, self._runs[xrayNode.GetID()], frameNumber)

    def adoptDicomVolume(self, xrayNode: vtkMRMLScalarVolumeNode) -> vtkMRMLScalarVolumeNode:
        """The X-ray to use for a volume: itself, or one read anew from the DICOM file behind it. Raises UserError."""
        from VesselRegistrationLib.scene.xrayFiles import REPORT_ATTRIBUTE, fileBehindVolume

        path = fileBehindVolume(xrayNode)
        return xrayNode if path is None or xrayNode.GetAttribute(REPORT_ATTRIBUTE) else self.loadXray(path)

    def missing(self, modelNode, xrayNodes: Sequence) -> str:
        """What has to be given before a registration, in one sentence; empty where nothing is missing."""
        from VesselRegistrationLib.scene.nodeRegistration import missingInput

        return missingInput(modelNode, xrayNodes)

    def showStart(self, modelNode: vtkMRMLModelNode, xrayNode: vtkMRMLScalarVolumeNode):
        """Show on an X-ray where the model would lie with its middle at the isocentre; gives the labelmap."""
        from VesselRegistrationLib.scene.nodeRegistration import showStart

        return showStart(modelNode, xrayNode)

    def addRoi(self, modelNode: vtkMRMLModelNode, xrayNode: vtkMRMLScalarVolumeNode) -> vtkMRMLMarkupsROINode:
        """A region of interest around the projected model, to be dragged in the slice view. Raises UserError."""
        from VesselRegistrationLib.scene.nodeRegistration import addRoiAroundStart

        return addRoiAroundStart(modelNode, xrayNode)

    def process(self, modelNode: vtkMRMLModelNode, xrayNodes: Sequence[vtkMRMLScalarVolumeNode],
                roiNode: vtkMRMLMarkupsROINode | None = None, **options):
        """Register a model to one or more X-rays: the result, and its nodes (None where no pose was found).

        Options: ``method``, ``device``, ``fieldOfView``, ``progress(fraction, text)``, ``shouldStop()``. Raises
        UserError and Cancelled.
        """
        from VesselRegistrationLib.scene.nodeRegistration import registerNodes

        return registerNodes(modelNode, [self.adoptDicomVolume(node) for node in xrayNodes], roiNode, **options)


class VesselRegistrationTest(ScriptedLoadableModuleTest):
    """Self-test in Slicer: the sample case, from loading to the registered model."""

    def setUp(self) -> None:
        """Begin in an empty scene."""
        slicer.mrmlScene.Clear()

    def runTest(self) -> None:
        """Run the self-test."""
        self.setUp()
        self.test_sampleCase()

    def test_sampleCase(self) -> None:
        """Two views of the sample case register to the true pose."""
        import importlib.util
        import json

        import numpy as np
        from VesselRegistrationLib.resources import resource_directory

        if any(importlib.util.find_spec(package) is None for package in ("torch", "safetensors", "skimage")):
            self.delayDisplay("Skipped: the networks need torch, safetensors and scikit-image")
            return
        logic = VesselRegistrationLogic()
        model, xrays = logic.loadSampleCase()
        result, nodes = logic.process(model, xrays)
        truth = json.loads((resource_directory() / "SampleCase" / "truth.json").read_text(encoding="utf-8"))
        centre = np.append(np.mean(slicer.util.arrayFromModelPoints(model), axis=0), 1.0)
        error = np.linalg.norm((result.model_to_world - np.array(truth["model_to_world"])) @ centre)
        self.assertEqual(result.status, "accepted")
        self.assertLess(error, 2.0)
        self.assertIs(nodes.registeredModel.GetParentTransformNode(), nodes.transform)
        self.delayDisplay("Test passed")
