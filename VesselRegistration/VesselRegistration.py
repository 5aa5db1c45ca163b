"""Registration of a vessel model from CTA to X-ray angiography: the panel, its logic and its self-test."""

import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import qt
import slicer
import vtk
from slicer import (
    vtkMRMLLinearTransformNode,
    vtkMRMLMarkupsROINode,
    vtkMRMLModelNode,
    vtkMRMLScalarVolumeNode,
    vtkMRMLTableNode,
)
from slicer.i18n import tr as _
from slicer.i18n import translate
from slicer.ScriptedLoadableModule import (
    ScriptedLoadableModule,
    ScriptedLoadableModuleLogic,
    ScriptedLoadableModuleTest,
    ScriptedLoadableModuleWidget,
)
from slicer.util import VTKObservationMixin
from VesselRegistrationLib.catheters.finding import DeviceFinder
from VesselRegistrationLib.mesh.reading import read_model
from VesselRegistrationLib.panel.cineStep import CineStep
from VesselRegistrationLib.panel.dataStep import DataStep
from VesselRegistrationLib.panel.icons import setIcons
from VesselRegistrationLib.panel.nodeFollower import NodeFollower
from VesselRegistrationLib.panel.parameters import VesselRegistrationParameterNode
from VesselRegistrationLib.panel.projectionStep import ProjectionStep
from VesselRegistrationLib.panel.registrationStep import RegistrationStep
from VesselRegistrationLib.panel.reviewStep import ReviewStep
from VesselRegistrationLib.panel.segmentationStep import SegmentationStep
from VesselRegistrationLib.panel.session import PanelSession
from VesselRegistrationLib.panel.step import Step
from VesselRegistrationLib.panel.updateLoop import UpdateLoop
from VesselRegistrationLib.panel.viewControl import ViewControl
from VesselRegistrationLib.progress import ProgressCallback, StopCheck, ignore_progress, never_stop
from VesselRegistrationLib.registration.cine import CineResult
from VesselRegistrationLib.registration.masks import DEFAULT_THRESHOLD, FrameSegmenter
from VesselRegistrationLib.resources import resource_directory
from VesselRegistrationLib.scene.batchNodes import defaultsFrom, processCases
from VesselRegistrationLib.scene.cineBridge import trackRun
from VesselRegistrationLib.scene.deviceBridge import findDevices
from VesselRegistrationLib.scene.liveTracking import LiveTracker
from VesselRegistrationLib.scene.maskBridge import findVessels
from VesselRegistrationLib.scene.modelBridge import addModel, middleOf, surfaceFromModel
from VesselRegistrationLib.scene.nodeRegistration import (
    RegistrationOptions,
    addRoi,
    missingInput,
    registerNodes,
)
from VesselRegistrationLib.scene.resultFiles import saveDicom, savePose, saveReport
from VesselRegistrationLib.scene.resultRebuilding import stepBack
from VesselRegistrationLib.scene.resultRecord import currentRecord, dropRecords
from VesselRegistrationLib.scene.sampleData import registerSampleData
from VesselRegistrationLib.scene.viewAdvice import adviceOf, adviseSecondView, previewOf
from VesselRegistrationLib.scene.xrayFiles import OpenXrays

STEPS = (DataStep, ProjectionStep, SegmentationStep, RegistrationStep, ReviewStep, CineStep)


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
        slicer.app.connect("startupCompleted()", registerSampleData)


class VesselRegistrationWidget(ScriptedLoadableModuleWidget, VTKObservationMixin):
    """The panel: six steps, each a class of its own, and the fused views that go with them."""

    def __init__(self, parent=None) -> None:
        ScriptedLoadableModuleWidget.__init__(self, parent)
        VTKObservationMixin.__init__(self)
        self.logic: VesselRegistrationLogic | None = None
        self.session: PanelSession | None = None
        self.steps: tuple[Step, ...] = ()
        self._views: ViewControl | None = None
        self._follower = NodeFollower()
        self._parameterNodeGuiTag = None
        self._updates = UpdateLoop(self._updateOnce)

    def setup(self) -> None:
        """Build the panel. Works without a main window and without torch."""
        ScriptedLoadableModuleWidget.setup(self)
        uiWidget = slicer.util.loadUI(self.resourcePath("UI/VesselRegistration.ui"))
        self.layout.addWidget(uiWidget)
        self.ui = slicer.util.childWidgetVariables(uiWidget)
        uiWidget.setMRMLScene(slicer.mrmlScene)
        setIcons(self.ui)
        self.logic = VesselRegistrationLogic()
        self.session = PanelSession(self.logic, self._update)
        self.steps = tuple(step(self.ui, self.session) for step in STEPS)
        restTimer = qt.QTimer(uiWidget)
        restTimer.singleShot = True
        self._views = ViewControl(self.session, restTimer)
        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.StartCloseEvent, self.onSceneStartClose)
        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.EndCloseEvent, self.onSceneEndClose)
        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.EndImportEvent, self.onSceneEndImport)
        self.initializeParameterNode()

    def cleanup(self) -> None:
        """Stop what runs and let go of the scene."""
        self.setParameterNode(None)
        self.session.close()
        self._follower.follow([])
        self.removeObservers()

    def enter(self) -> None:
        """The user came to the module."""
        self.initializeParameterNode()

    def exit(self) -> None:
        """The user left the module."""
        self.setParameterNode(None)

    def onSceneStartClose(self, caller, event) -> None:
        """Let go of the nodes that are about to go, and stop a registration of them."""
        self.session.stop()
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
        before = self.session.node
        if before:
            before.disconnectGui(self._parameterNodeGuiTag)
            self.removeObserver(before, vtk.vtkCommand.ModifiedEvent, self._update)
        self.session.node = parameterNode
        self._views.forget()
        if parameterNode:
            self._parameterNodeGuiTag = parameterNode.connectGui(self.ui)
            self.addObserver(parameterNode, vtk.vtkCommand.ModifiedEvent, self._update)
        self._update()

    def _update(self, caller=None, event=None) -> None:
        """Let every step show what is there. What a step changes in the scene calls again, and is waited for."""
        self._updates.run()

    def _updateOnce(self) -> None:
        idle = self.session.node is not None and not self.session.running
        for step in self.steps:
            step.enable(idle)
        if idle:
            for step in self.steps:
                step.update()
            self.steps[1].guarded(self._views.update)
        self._follow()

    def _follow(self) -> None:
        """Listen to what the user moves in the views."""
        wanted = [followed for step in self.steps for followed in step.followed()] if self.session.node else []
        self._follower.follow(wanted)


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

    def middleOf(self, modelNode: vtkMRMLModelNode) -> np.ndarray:
        """The middle (3,) of a model's bounding box, RAS mm: what the search starts with at the isocentre."""
        return middleOf(modelNode)

    def addRoi(self, modelNode: vtkMRMLModelNode, xrayNode: vtkMRMLScalarVolumeNode,
               startNode: vtkMRMLLinearTransformNode | None = None) -> vtkMRMLMarkupsROINode:
        """A region of interest around the projected model, to be dragged in the slice view. Raises UserError."""
        return addRoi(modelNode, xrayNode, startNode)

    def findVessels(self, xrayNodes: Sequence[vtkMRMLScalarVolumeNode], fieldOfView: str = "auto",
                    device: str = "auto", threshold: float = DEFAULT_THRESHOLD,
                    progress: ProgressCallback = ignore_progress, shouldStop: StopCheck = never_stop,
                    network: Path | str | None = None) -> None:
        """Find the vessels of X-rays; a registration then uses these masks. Raises UserError and Cancelled.

        ``network`` is the card or weights file of a vessel network of the user's, here and below.
        """
        segmenter = FrameSegmenter(fieldOfView, threshold, device, network)
        findVessels(xrayNodes, segmenter, threshold, progress, shouldStop)

    def findDevices(self, xrayNodes: Sequence[vtkMRMLScalarVolumeNode], network: Path | str, device: str = "auto",
                    progress: ProgressCallback = ignore_progress, shouldStop: StopCheck = never_stop) -> int:
        """Show the catheters and guidewires of X-rays, gives how many there are. Raises UserError and Cancelled.

        ``network`` is the name of a shipped network, or the file of a user's.
        """
        finder = DeviceFinder(device=device, network=network)
        return findDevices(xrayNodes, finder, progress=progress, shouldStop=shouldStop)

    def resultOf(self, transformNode: vtkMRMLLinearTransformNode | None) -> dict | None:
        """The content of result.json of the registration that gave a transform, None where none did."""
        return currentRecord(transformNode)

    def forgetResults(self, transformNode: vtkMRMLLinearTransformNode) -> None:
        """Forget what was found, because it belongs to other inputs."""
        dropRecords(transformNode)

    def undo(self, modelNode: vtkMRMLModelNode, xrayNodes: Sequence[vtkMRMLScalarVolumeNode],
             transformNode: vtkMRMLLinearTransformNode) -> bool:
        """Bring back the pose before the present one, with its verdict; False where there was none."""
        return stepBack(modelNode, xrayNodes, transformNode)

    def adviseView(self, modelNode: vtkMRMLModelNode, xrayNode: vtkMRMLScalarVolumeNode,
                   poseNode: vtkMRMLLinearTransformNode, progress: ProgressCallback = ignore_progress,
                   shouldStop: StopCheck = never_stop) -> None:
        """Work out which second view would help most; see ``adviceOf``. Raises UserError and Cancelled."""
        adviseSecondView(modelNode, xrayNode, poseNode, progress, shouldStop)

    def adviceOf(self, xrayNode: vtkMRMLScalarVolumeNode, poseNode: vtkMRMLLinearTransformNode | None) -> dict | None:
        """The advice that an X-ray keeps for a pose: ``sentence`` and ``view``; None where there is none."""
        return adviceOf(xrayNode, poseNode)

    def previewOf(self, xrayNode: vtkMRMLScalarVolumeNode) -> vtkMRMLScalarVolumeNode:
        """An empty X-ray from the advised view, to show the model as it would look."""
        return previewOf(xrayNode)

    def saveReport(self, modelNode: vtkMRMLModelNode, xrayNodes: Sequence[vtkMRMLScalarVolumeNode],
                   transformNode: vtkMRMLLinearTransformNode, parent: Path,
                   progress: ProgressCallback = ignore_progress) -> Path:
        """Write a result with pictures, page and model into a new folder in ``parent``, which is given. UserError."""
        return saveReport(modelNode, xrayNodes, currentRecord(transformNode), parent, progress)

    def savePose(self, modelNode: vtkMRMLModelNode, transformNode: vtkMRMLLinearTransformNode, parent: Path) -> Path:
        """Write transform and registered model into a new folder in ``parent``, which is given. Raises UserError."""
        return savePose(modelNode, transformNode, parent)

    def saveDicom(self, modelNode: vtkMRMLModelNode, xrayNodes: Sequence[vtkMRMLScalarVolumeNode],
                  transformNode: vtkMRMLLinearTransformNode, parent: Path) -> Path:
        """Write a result as DICOM files into a new folder in ``parent``, which is given. Raises UserError."""
        files = [self._files.runOf(node).path for node in xrayNodes]
        return saveDicom(modelNode, xrayNodes, currentRecord(transformNode), files, parent)

    def track(self, modelNode: vtkMRMLModelNode, xrayNode: vtkMRMLScalarVolumeNode,
              transformNode: vtkMRMLLinearTransformNode, device: str = "auto", fieldOfView: str = "auto",
              threshold: float = DEFAULT_THRESHOLD, progress: ProgressCallback = ignore_progress,
              shouldStop: StopCheck = never_stop, network: Path | str | None = None) -> CineResult:
        """Follow a registered model through the run of an X-ray; replay then moves it. Raises UserError, Cancelled."""
        run = self._files.runOf(xrayNode)
        self._files.addSequence(xrayNode)
        return trackRun(modelNode, xrayNode, transformNode, run, device, fieldOfView, threshold, progress, shouldStop,
                        network)

    def liveTracker(self, modelNode: vtkMRMLModelNode, xrayNode: vtkMRMLScalarVolumeNode,
                    transformNode: vtkMRMLLinearTransformNode, device: str = "auto", fieldOfView: str = "auto",
                    threshold: float = DEFAULT_THRESHOLD, network: Path | str | None = None) -> LiveTracker:
        """What follows a registered model into every new image of an X-ray. Raises UserError."""
        return LiveTracker(surfaceFromModel(modelNode), xrayNode, transformNode,
                           FrameSegmenter(fieldOfView, threshold, device, network))

    def process(self, modelNode: vtkMRMLModelNode, xrayNodes: Sequence[vtkMRMLScalarVolumeNode],
                roiNode: vtkMRMLMarkupsROINode | None = None, progress: ProgressCallback = ignore_progress,
                shouldStop: StopCheck = never_stop, **options):
        """Register a model to one or more X-rays: the result, and its nodes (None where no pose was found).

        Options: those of ``RegistrationOptions``. Raises UserError and Cancelled.
        """
        return registerNodes(modelNode, [self.xrayToUse(node) for node in xrayNodes], roiNode,
                             RegistrationOptions(**options), progress, shouldStop)

    def processCases(self, cases: vtkMRMLTableNode | Path | str, outputFolder: Path | str, resume: bool = False,
                     progress: ProgressCallback = ignore_progress, shouldStop: StopCheck = never_stop, **options):
        """Register many cases, each into a folder of its own: their rows, and a table node that shows them.

        ``cases`` is a table node or a CSV file with the columns of the command ``batch``, or a folder with a sub-folder
        for each case (one model, one or two DICOM files). A case that fails has a row that says why; ``resume`` goes on
        with an interrupted batch. Options where a row does not say them: ``method``, ``device``, ``fieldOfView``,
        ``threshold``, ``network``. Raises UserError and Cancelled.
        """
        return processCases(slicer.mrmlScene, cases, outputFolder, defaultsFrom(**options), resume, progress,
                            shouldStop)


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
