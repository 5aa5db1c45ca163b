"""Registration of a vessel model from CTA to X-ray angiography: the panel, its logic and its self-test."""

import logging
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
from VesselRegistrationLib.mesh.reading import read_model
from VesselRegistrationLib.panel.dependencies import ensureNetworks, ensureReading
from VesselRegistrationLib.panel.geometryEditor import GeometryEditor
from VesselRegistrationLib.panel.sliceView import showInSliceView, showLabel
from VesselRegistrationLib.panel.texts import geometryAsHtml, measuresAsHtml, reportAsHtml, verdictAsHtml
from VesselRegistrationLib.resources import resource_directory
from VesselRegistrationLib.scene.modelBridge import addModel
from VesselRegistrationLib.scene.nodeRegistration import addRoiAroundStart, missingInput, registerNodes, showStart
from VesselRegistrationLib.scene.resultBridge import maskOf, setOverlay, startOf
from VesselRegistrationLib.scene.xrayFiles import OpenXrays, reportOf

METHODS = ("pose", "affine")
DEVICES = ("auto", "cpu", "cuda")
FIELDS_OF_VIEW = ("auto", "lower", "upper")
MODEL_SPACES = ("auto", "RAS", "LPS")
MODEL_UNITS = ("mm", "cm", "m")


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
        self._geometryEditor = None
        self._running = False
        self._stopRequested = False
        self._shown: tuple | None = None

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
        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.EndImportEvent, self.onSceneEndImport)
        self.initializeParameterNode()

    def cleanup(self) -> None:
        """Stop what runs and let go of the scene."""
        self._stopRequested = True
        self.setParameterNode(None)
        self.removeObservers()

    def enter(self) -> None:
        """The user came to the module."""
        self.initializeParameterNode()

    def exit(self) -> None:
        """The user left the module."""
        self.setParameterNode(None)

    def onSceneStartClose(self, caller, event) -> None:
        """Let go of the nodes that are about to go, and stop a registration of them."""
        self._stopRequested = True
        self.logic.closeFiles()
        self.setParameterNode(None)

    def onSceneEndClose(self, caller, event) -> None:
        """Begin anew in the empty scene."""
        if self.parent.isEntered:
            self.initializeParameterNode()

    def onSceneEndImport(self, caller, event) -> None:
        """Show what a loaded scene brings: its references are whole only now, and no event of the node says so."""
        if self.parent.isEntered:
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
        self._shown = None
        if self._parameterNode:
            self._parameterNodeGuiTag = self._parameterNode.connectGui(self.ui)
            self.addObserver(self._parameterNode, vtk.vtkCommand.ModifiedEvent, self._update)
        self._update()

    def _fillChoices(self) -> None:
        for name, items in (("method", METHODS), ("device", DEVICES), ("fieldOfView", FIELDS_OF_VIEW),
                            ("modelSpace", MODEL_SPACES), ("modelUnit", MODEL_UNITS)):
            for item in items:
                getattr(self.ui, f"{name}ComboBox").addItem(item)

    def _connect(self) -> None:
        ui = self.ui
        for button, action in ((ui.sampleButton, self._loadSample), (ui.loadModelButton, self._loadModel),
                               (ui.loadXrayButton, self._loadXray), (ui.placeRoiButton, self._placeRoi),
                               (ui.wholeImageButton, self._useWholeImage)):
            button.connect("clicked(bool)", self._slot(self._attempt, action))
        ui.frameSpinBox.connect("valueChanged(int)", self._slot(self._attempt, self._showFrame))
        ui.maskCheckBox.connect("toggled(bool)", self._slot(self._showOverlay))
        ui.registerButton.connect("clicked(bool)", self._slot(self.onRegister))
        for name in ("method", "device", "fieldOfView"):
            getattr(ui, f"{name}ComboBox").connect("currentIndexChanged(int)", self._slot(self._choose, name))
        self._geometryEditor = GeometryEditor(ui, self._attempt)

    @staticmethod
    def _slot(action: Callable, *arguments) -> Callable:
        """A slot that does something whatever the signal brings."""
        return lambda *signal: action(*arguments)

    def _attempt(self, action: Callable, *arguments) -> None:
        """Do something for the user; what goes wrong is said in the panel."""
        if self._parameterNode is None or self._running:
            return
        self.ui.statusLabel.text = ""
        self._say(action, *arguments)
        self._update()

    def _say(self, action: Callable, *arguments) -> None:
        """Do something, and say in the panel what goes wrong."""
        try:
            action(*arguments)
        except (UserError, Cancelled) as problem:
            self.ui.statusLabel.text = str(problem)
        except Exception as problem:
            logging.exception("VesselRegistration")
            self.ui.statusLabel.text = _("This is a bug ({what}): see the Python console, and report it.").format(
                what=f"{type(problem).__name__}: {problem}")

    def _choose(self, name: str) -> None:
        if self._parameterNode is not None:
            setattr(self._parameterNode, name, getattr(self.ui, f"{name}ComboBox").currentText)

    def _loadSample(self) -> None:
        ensureReading()
        model, xrays = self.logic.loadSampleCase()
        self._parameterNode.model, self._parameterNode.xray = model, xrays[0]
        self._parameterNode.secondXray = xrays[1]

    def _loadModel(self) -> None:
        ui = self.ui
        if not ui.modelPathLineEdit.currentPath:
            raise UserError(_("No model file is named: choose a VTP, VTK, STL, OBJ or PLY file first."))
        space = None if ui.modelSpaceComboBox.currentText == MODEL_SPACES[0] else ui.modelSpaceComboBox.currentText
        self._parameterNode.model = self.logic.loadModel(ui.modelPathLineEdit.currentPath, space,
                                                         ui.modelUnitComboBox.currentText)

    def _loadXray(self) -> None:
        if not self.ui.xrayPathLineEdit.currentPath:
            raise UserError(_("No X-ray file is named: choose an XA DICOM file first."))
        ensureReading()
        self._parameterNode.xray = self.logic.loadXray(self.ui.xrayPathLineEdit.currentPath)

    def _showFrame(self) -> None:
        node = self._parameterNode.xray
        if node and self.logic.frameRange(node)[0] != self.ui.frameSpinBox.value:
            self.logic.showFrame(node, self.ui.frameSpinBox.value)

    def _placeRoi(self) -> None:
        self._useWholeImage()
        self._parameterNode.roi = self.logic.addRoi(self._parameterNode.model, self._parameterNode.xray)

    def _useWholeImage(self) -> None:
        roi, self._parameterNode.roi = self._parameterNode.roi, None
        if roi is not None:
            slicer.mrmlScene.RemoveNode(roi)

    def _adopt(self) -> None:
        """Use the DICOM file behind an X-ray that Slicer's DICOM module loaded."""
        for field in ("xray", "secondXray"):
            node = getattr(self._parameterNode, field)
            if node is not None and node.GetImageData() is not None:
                adopted = self.logic.xrayToUse(node)
                if adopted is not node:
                    setattr(self._parameterNode, field, adopted)

    def _update(self, caller=None, event=None) -> None:
        """Show what is there, and say what is missing."""
        ui, node = self.ui, self._parameterNode
        if slicer.mrmlScene.IsImporting():
            return
        if node is not None and not self._running:
            self._say(self._adopt)
        missing = self.logic.missing(node.model if node else None, self._xrays())
        ui.registerButton.enabled = self._running or not missing
        ui.registerButton.text = _("Cancel") if self._running else _("Register")
        ui.registerButton.toolTip = missing or _("Find the pose of the model that explains the X-ray")
        ui.placeRoiButton.enabled = not missing
        ui.missingLabel.text, ui.missingLabel.visible = missing, bool(missing)
        ui.progressBar.visible = self._running
        ui.inputsFrame.enabled = not self._running
        if node is None or self._running:
            return
        for name in ("method", "device", "fieldOfView"):
            getattr(ui, f"{name}ComboBox").currentText = getattr(node, name)
        geometry = self._showXray(node.xray)
        inputs = (node.model, node.xray, node.secondXray, geometry, ui.frameSpinBox.value)
        if inputs != self._shown:
            first, self._shown = self._shown is None, inputs
            self._say(self._showNewInputs, missing, first)
        self._showOverlay()

    def _showXray(self, xray):
        """Report, geometry and frames of the X-ray; gives its geometry."""
        ui = self.ui
        if xray is not None and xray.GetImageData() is None:
            xray = None
        geometry = self._geometryEditor.show(xray)
        ui.reportBrowser.html = reportAsHtml(reportOf(xray)) if xray else ""
        ui.geometryLabel.text = geometryAsHtml(geometry) if geometry else ""
        number, count = self.logic.frameRange(xray) if xray else (0, 1)
        ui.frameSpinBox.blockSignals(True)  # only the user's changes choose a frame
        ui.frameSpinBox.maximum, ui.frameSpinBox.value = count - 1, number
        ui.frameSpinBox.blockSignals(False)
        return geometry

    def _showNewInputs(self, missing: str, first: bool) -> None:
        """Forget the result of other inputs; show the new X-ray, with the model where the search will start.

        The first inputs of a parameter node come with its scene, and their result stays.
        """
        node = self._parameterNode
        if not first:
            node.transform = None
        self.ui.measuresLabel.text = ""
        if node.xray is not None and node.xray.GetImageData() is not None:
            showInSliceView(node.xray)
        if not missing:
            self.logic.showStart(node.model, node.xray)

    def _showOverlay(self) -> None:
        """The registered model on the X-ray, or its start; with the mask where the user wants it."""
        node = self._parameterNode
        if node is None or node.xray is None:
            return
        registered = node.transform is not None
        setOverlay(node.xray, registered, node.overlayOpacity)
        showLabel(maskOf(node.xray) if self.ui.maskCheckBox.checked and registered
                  else None if registered else startOf(node.xray), node.overlayOpacity)

    def _xrays(self) -> list:
        node = self._parameterNode
        return [xray for xray in (node.xray, node.secondXray) if xray] if node and node.xray else []

    def onRegister(self) -> None:
        """Register, or cancel the registration that runs."""
        if self._running:
            self._stopRequested = True
            return
        if self._parameterNode is None:
            return
        self._running, self._stopRequested = True, False
        self.ui.statusLabel.text, self.ui.measuresLabel.text = "", ""
        self._update()
        self._say(self._register)
        self._running = False
        self.ui.progressBar.value, self.ui.progressBar.format = 0, "%p%"
        self._update()

    def _register(self) -> None:
        node = self._parameterNode
        ensureNetworks()
        result, nodes = self.logic.process(node.model, self._xrays(), node.roi, method=node.method, device=node.device,
                                           fieldOfView=node.fieldOfView, progress=self._showProgress,
                                           shouldStop=lambda: self._stopRequested)
        self.ui.statusLabel.text = verdictAsHtml(result)
        self.ui.measuresLabel.text = measuresAsHtml(result)
        node.transform = nodes.transform if nodes else None

    def _showProgress(self, fraction: float, text: str) -> None:
        self.ui.progressBar.value = int(100 * fraction)
        self.ui.progressBar.format = f"{text} %p%"
        slicer.app.processEvents()


class VesselRegistrationLogic(ScriptedLoadableModuleLogic):
    """The work on nodes, without widgets; also for scripts in the Python console."""

    def __init__(self) -> None:
        ScriptedLoadableModuleLogic.__init__(self)
        self._files = OpenXrays()

    def getParameterNode(self) -> VesselRegistrationParameterNode:
        """The scene's parameter node in its typed form."""
        return VesselRegistrationParameterNode(super().getParameterNode())

    def loadModel(self, path: str, space: str | None = None, unit: str = "mm") -> vtkMRMLModelNode:
        """A model node from a mesh file; ``space`` RAS or LPS (as the file says, else LPS). Raises UserError."""
        return addModel(slicer.mrmlScene, read_model(path, space, unit))

    def loadXray(self, path: str) -> vtkMRMLScalarVolumeNode:
        """A volume node with the frame of strongest contrast of an XA file. Raises UserError."""
        return self._files.add(slicer.mrmlScene, path)

    def loadSampleCase(self) -> tuple[vtkMRMLModelNode, list[vtkMRMLScalarVolumeNode]]:
        """Model and two X-rays of the simulated case that comes with the extension."""
        sample = resource_directory() / "SampleCase"
        return self.loadModel(sample / "model.vtp"), [self.loadXray(sample / f"view_{k}.dcm") for k in range(2)]

    def frameRange(self, xrayNode: vtkMRMLScalarVolumeNode) -> tuple[int, int]:
        """Number of the frame that a volume shows (0-based), and how many it can show."""
        return self._files.frameRange(xrayNode)

    def showFrame(self, xrayNode: vtkMRMLScalarVolumeNode, frameNumber: int) -> None:
        """Let a volume loaded by this logic show another frame (0-based). Raises UserError."""
        self._files.showFrame(xrayNode, frameNumber)

    def xrayToUse(self, xrayNode: vtkMRMLScalarVolumeNode) -> vtkMRMLScalarVolumeNode:
        """The volume itself, or a new one read from the DICOM file that Slicer loaded it from. Raises UserError."""
        return self._files.adopted(xrayNode)

    def closeFiles(self) -> None:
        """Forget the files of the scene that closes."""
        self._files.close()

    def missing(self, modelNode, xrayNodes: Sequence) -> str:
        """What has to be given before a registration, in one sentence; empty where nothing is missing."""
        return missingInput(modelNode, xrayNodes)

    def showStart(self, modelNode: vtkMRMLModelNode, xrayNode: vtkMRMLScalarVolumeNode):
        """Show on an X-ray where the model would lie with its middle at the isocentre; gives the labelmap."""
        return showStart(modelNode, xrayNode)

    def addRoi(self, modelNode: vtkMRMLModelNode, xrayNode: vtkMRMLScalarVolumeNode) -> vtkMRMLMarkupsROINode:
        """A region of interest around the projected model, to be dragged in the slice view. Raises UserError."""
        return addRoiAroundStart(modelNode, xrayNode)

    def process(self, modelNode: vtkMRMLModelNode, xrayNodes: Sequence[vtkMRMLScalarVolumeNode],
                roiNode: vtkMRMLMarkupsROINode | None = None, **options):
        """Register a model to one or more X-rays: the result, and its nodes (None where no pose was found).

        Options: ``method``, ``device``, ``fieldOfView``, ``progress(fraction, text)``, ``shouldStop()``. Raises
        UserError and Cancelled.
        """
        return registerNodes(modelNode, [self.xrayToUse(node) for node in xrayNodes], roiNode, **options)


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
