"""Suture points in endoscopy of the mitral valve: the panel, its logic and its self-test."""

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import slicer
import vtk
from slicer import vtkMRMLVectorVolumeNode
from slicer.i18n import tr as _
from slicer.i18n import translate
from slicer.ScriptedLoadableModule import (
    ScriptedLoadableModule,
    ScriptedLoadableModuleLogic,
    ScriptedLoadableModuleTest,
    ScriptedLoadableModuleWidget,
)
from slicer.util import VTKObservationMixin
from SutureDetectionLib.detection.detector import load_detector
from SutureDetectionLib.evaluation.scoring import RADII_PX
from SutureDetectionLib.inputs.opening import MONO
from SutureDetectionLib.panel.comparisonStep import ComparisonStep
from SutureDetectionLib.panel.correctionStep import CorrectionStep
from SutureDetectionLib.panel.detectionStep import DetectionStep
from SutureDetectionLib.panel.exportStep import ExportStep
from SutureDetectionLib.panel.framesStep import FramesStep
from SutureDetectionLib.panel.parameters import SutureDetectionParameterNode
from SutureDetectionLib.panel.pointWatcher import PointWatcher
from SutureDetectionLib.panel.session import SutureSession
from SutureDetectionLib.panel.spaceStep import SpaceStep
from SutureDetectionLib.panel.sutureStep import SutureStep
from SutureDetectionLib.panel.trainingStep import TrainingStep
from SutureDetectionLib.scene.comparison import Comparison, loadLabels
from SutureDetectionLib.scene.comparisonView import ComparisonView
from SutureDetectionLib.scene.endoscopyView import lookAtSpace, showFrames
from SutureDetectionLib.scene.exporting import exportPoints, saveLabelledFrames
from SutureDetectionLib.scene.fineTuning import FRAMES_FOLDER, FineTuning, launchTraining, trainingArguments
from SutureDetectionLib.scene.frameSeries import FrameSeries, existingSeries, loadFrames, seriesOf
from SutureDetectionLib.scene.networkChoice import missingNetwork
from SutureDetectionLib.scene.pointKeeper import PointKeeper, detectSeries
from SutureDetectionLib.scene.pointNodes import readPoints
from SutureDetectionLib.scene.pointRecord import DETECTIONS, NumberedPoints, PointRecord, readRecord
from SutureDetectionLib.scene.sampleData import addSyntheticStereo, addSyntheticVideo, registerSampleData
from SutureDetectionLib.scene.spaceNodes import SpaceNodes, reconstructFrame
from VesselRegistrationLib.panel.nodeFollower import NodeFollower
from VesselRegistrationLib.panel.updateLoop import UpdateLoop
from VesselRegistrationLib.progress import ProgressCallback, StopCheck, ignore_progress, never_stop
from VesselRegistrationLib.rendering.new_folder import check_new_folder


class SutureDetection(ScriptedLoadableModule):
    """The module as Slicer lists it."""

    def __init__(self, parent) -> None:
        ScriptedLoadableModule.__init__(self, parent)
        self.parent.title = _("Suture Detection")
        self.parent.categories = [translate("qSlicerAbstractCoreModule", "IGT")]
        self.parent.dependencies = []
        self.parent.contributors = ["The SlicerHybridOR contributors"]
        self.parent.helpText = _("Finds where sutures enter and leave the tissue in endoscopy of mitral valve repair. "
                                 "Research software, not a medical device; its network was trained on synthetic images "
                                 "only.")
        self.parent.acknowledgementText = _("After Sharan et al., Point detection through multi-instance deep heatmap "
                                            "regression for sutures in endoscopy.")
        slicer.app.connect("startupCompleted()", registerSampleData)


class SutureDetectionWidget(ScriptedLoadableModuleWidget, VTKObservationMixin):
    """The panel: seven steps, each a class of its own."""

    def __init__(self, parent=None) -> None:
        ScriptedLoadableModuleWidget.__init__(self, parent)
        VTKObservationMixin.__init__(self)
        self.logic: SutureDetectionLogic | None = None
        self.session: SutureSession | None = None
        self.steps: tuple[SutureStep, ...] = ()
        self._training: TrainingStep | None = None
        self._watcher: PointWatcher | None = None
        self._follower = NodeFollower()
        self._parameterNodeGuiTag = None
        self._shown: vtkMRMLVectorVolumeNode | None = None
        self._updates = UpdateLoop(self._updateOnce)

    def setup(self) -> None:
        """Build the panel. Works without a main window and without torch."""
        ScriptedLoadableModuleWidget.setup(self)
        uiWidget = slicer.util.loadUI(self.resourcePath("UI/SutureDetection.ui"))
        self.layout.addWidget(uiWidget)
        self.ui = slicer.util.childWidgetVariables(uiWidget)
        uiWidget.setMRMLScene(slicer.mrmlScene)
        self.logic = SutureDetectionLogic()
        self.session = SutureSession(self.logic, self._update)
        self._watcher = PointWatcher(self.session)
        self._makeSteps()
        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.StartCloseEvent, self.onSceneStartClose)
        for event in (slicer.mrmlScene.EndCloseEvent, slicer.mrmlScene.EndImportEvent):
            self.addObserver(slicer.mrmlScene, event, self.onSceneReady)
        self.initializeParameterNode()

    def _makeSteps(self) -> None:
        frames, detection, space = (kind(self.ui, self.session) for kind in (FramesStep, DetectionStep, SpaceStep))
        correction, comparison, export = (kind(self.ui, self.session)
                                          for kind in (CorrectionStep, ComparisonStep, ExportStep))
        self._training = TrainingStep(self.ui, self.session)
        frames.calibrationLoaded = space.useCalibration
        self._training.weights = lambda: detection.trained
        self._training.trained = detection.useTrained
        space.reconstructed = self._showSpace
        self.steps = (frames, detection, correction, comparison, space, export, self._training)

    def cleanup(self) -> None:
        """Stop what runs and let go of the scene."""
        self.setParameterNode(None)
        self._training.close()
        self.session.close()
        self._watcher.follow(None)
        self._follower.follow([])
        self.removeObservers()

    def enter(self) -> None:
        """The user came to the module."""
        self.initializeParameterNode()

    def exit(self) -> None:
        """The user left the module; corrections in the views are still noted."""
        self.setParameterNode(None)

    def onSceneStartClose(self, caller, event) -> None:
        """Let go of the nodes that are about to go, and stop a detection in them."""
        self.session.stop()
        self._watcher.follow(None)
        self.logic.forget()
        self.setParameterNode(None)

    def onSceneReady(self, caller, event) -> None:
        """Begin anew in an empty scene, or with what a loaded one brings: its references are whole only now."""
        if self.parent.isEntered:
            self.initializeParameterNode()

    def onReload(self) -> None:
        """Reload the algorithms with the module."""
        for name in [name for name in sys.modules if name.split(".")[0] == "SutureDetectionLib"]:
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
        self._shown = None
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
            self._takeOver()
            for step in self.steps:
                step.update()
            self._showFrames()
            self._watcher.follow(self.session.node.volume)
        series = self.session.series
        self._follower.follow([] if series is None else [
            (series.browser, vtk.vtkCommand.ModifiedEvent, self._showPlace)])

    def _takeOver(self) -> None:
        """Other frames bring their own layout and threshold."""
        node, series = self.session.node, self.session.series
        if node.volume is not self._shown and series is not None:
            node.layout = series.facts.layout
            node.threshold = min(0.95, max(0.1, self.logic.threshold(node.volume)))

    def _showFrames(self) -> None:
        node, series = self.session.node, self.session.series
        before, self._shown = self._shown, node.volume if series is not None else None
        if series is not None:
            showFrames(series, slicer.app.layoutManager(), node.volume is not before)

    def _showSpace(self) -> None:
        showFrames(self.session.series, slicer.app.layoutManager())
        lookAtSpace(self.session.series)

    def _showPlace(self) -> None:
        """Another frame is shown: by the slider, or by replay."""
        if self.session.node is not None and not self.session.running and self.session.series is not None:
            for step in self.steps:
                step.showPlace()


class SutureDetectionLogic(ScriptedLoadableModuleLogic):
    """The work on nodes, without widgets; also for scripts in the Python console.

    Frames are volume nodes that a sequence browser drives; a single colour volume becomes a sequence of one. Points are
    in pixels (col, row) of the picture, counted from 0, frames are counted from 0. Methods raise UserError.
    """

    def __init__(self, loadDetector: Callable[..., Any] = load_detector,
                 launch: Callable[..., Any] = launchTraining) -> None:
        ScriptedLoadableModuleLogic.__init__(self)
        self._load, self._launch = loadDetector, launch
        self._keeper = PointKeeper()
        self._comparison = ComparisonView()

    def getParameterNode(self) -> SutureDetectionParameterNode:
        """The scene's parameter node in its typed form."""
        return SutureDetectionParameterNode(super().getParameterNode())

    def forget(self) -> None:
        """The scene closes."""
        self._keeper.forget()
        self._comparison.forget()

    def loadFrames(self, path: Path | str, layout: str = MONO, every: int = 1,
                   progress: ProgressCallback = ignore_progress,
                   shouldStop: StopCheck = never_stop) -> tuple[vtkMRMLVectorVolumeNode, tuple[str, ...]]:
        """A volume with the frames of a picture, folder, DICOM file or video, and why some are missing."""
        loaded = loadFrames(slicer.mrmlScene, Path(path), layout, every, progress, shouldStop)
        return loaded.series.volume, loaded.problems

    def loadSampleVideo(self, progress: ProgressCallback = ignore_progress,
                        shouldStop: StopCheck = never_stop) -> vtkMRMLVectorVolumeNode:
        """A short synthetic video with its true points as labels."""
        return addSyntheticVideo(slicer.mrmlScene, progress, shouldStop).volume

    def loadSampleStereo(self) -> tuple[vtkMRMLVectorVolumeNode, Path]:
        """A synthetic stereo frame with its true points as labels, and its calibration file."""
        series, calibration = addSyntheticStereo(slicer.mrmlScene, Path(slicer.app.temporaryPath))
        return series.volume, calibration

    def missingNetwork(self, weights: Path | None = None) -> str:
        """Why there is no network to detect with, in one sentence; empty where there is one."""
        return missingNetwork(weights) if self._load is load_detector else ""

    def process(self, frameOrFolder: vtkMRMLVectorVolumeNode | Path | str, threshold: float | None = None,
                layout: str | None = None, weights: Path | str | None = None, device: str = "auto",
                progress: ProgressCallback = ignore_progress,
                shouldStop: StopCheck = never_stop) -> vtkMRMLVectorVolumeNode:
        """Find the points of all frames of a volume, or of a file or folder that is loaded first; gives the volume.

        ``threshold`` None keeps that of an earlier run of the same network, else takes the network's; ``layout`` None
        is the frames' own; ``weights`` is the folder of a training or a model card, None the shipped network. Raises
        UserError and Cancelled, and then keeps the points that were there.
        """
        volume = frameOrFolder
        if isinstance(frameOrFolder, Path | str):
            volume, _problems = self.loadFrames(frameOrFolder, layout or MONO, 1, progress, shouldStop)
        if layout is not None:
            self.setLayout(volume, layout)
        series = seriesOf(volume)
        detector = self._load(None if weights is None else Path(weights), device)
        self._keeper.setDetections(series, detectSeries(series, detector, progress, shouldStop), threshold)
        return volume

    def setLayout(self, volumeNode: vtkMRMLVectorVolumeNode, layout: str) -> None:
        """Say which eyes the frames show; what was found in another layout is dropped."""
        self._keeper.setLayout(seriesOf(volumeNode), layout)

    def isDetected(self, volumeNode: vtkMRMLVectorVolumeNode) -> bool:
        """Whether a network sought points in these frames."""
        return self._record(volumeNode, DETECTIONS) is not None

    def networkOf(self, volumeNode: vtkMRMLVectorVolumeNode) -> str:
        """The name of the network that sought points, empty where none did."""
        record = self._record(volumeNode, DETECTIONS)
        return "" if record is None else str(record.about["name"])

    def hasLabels(self, volumeNode: vtkMRMLVectorVolumeNode) -> bool:
        """Whether some frames have labels, loaded or made by hand."""
        return bool(self._keeper.known(seriesOf(volumeNode)).labels)

    def corrected(self, volumeNode: vtkMRMLVectorVolumeNode) -> list[int]:
        """The frames that a person corrected or labelled."""
        return self._keeper.corrected(seriesOf(volumeNode))

    def points(self, volumeNode: vtkMRMLVectorVolumeNode) -> Mapping[int, NumberedPoints]:
        """The points that count in every frame: corrected ones, else those found from the threshold on."""
        return self._keeper.points(seriesOf(volumeNode))

    def threshold(self, volumeNode: vtkMRMLVectorVolumeNode) -> float:
        """The confidence, 0 to 1, from which found points count."""
        return self._keeper.threshold(seriesOf(volumeNode))

    def setThreshold(self, volumeNode: vtkMRMLVectorVolumeNode, threshold: float) -> None:
        """Let found points count from another confidence on, without another run of the network."""
        self._keeper.setThreshold(seriesOf(volumeNode), threshold)

    def beginMarking(self, volumeNode: vtkMRMLVectorVolumeNode) -> FrameSeries:
        """Make the nodes to mark points in, where there are none yet."""
        return self._keeper.begin(seriesOf(volumeNode))

    def adoptEdits(self, volumeNode: vtkMRMLVectorVolumeNode, kind: int | None = None) -> bool:
        """Keep what was changed in the point nodes of the present frame, apart from the detection; True if anything."""
        return self._keeper.adoptEdits(seriesOf(volumeNode), kind)

    def setLabelled(self, volumeNode: vtkMRMLVectorVolumeNode, labelled: bool) -> None:
        """Take the points of the present frame for right, or go back to its detection."""
        series = self.beginMarking(volumeNode)
        self._keeper.correct(series, readPoints(series) if labelled else None)

    def pairLast(self, volumeNode: vtkMRMLVectorVolumeNode) -> None:
        """Make the last entry and the last exit of the present frame the two ends of one stitch."""
        self._keeper.pairLast(self.beginMarking(volumeNode))

    def loadLabels(self, volumeNode: vtkMRMLVectorVolumeNode, path: Path | str) -> int:
        """Read labels from a folder or file; the number of frames that have some."""
        return loadLabels(seriesOf(volumeNode), Path(path))

    def compare(self, volumeNode: vtkMRMLVectorVolumeNode, radius: float = RADII_PX[0],
                show: bool = False) -> Comparison | None:
        """What was found against labels, loaded or made by hand, within a radius in px at 512x288; None without labels.

        ``show`` puts found (green), missed (orange) and false points (red) in place of the points themselves.
        """
        series = seriesOf(volumeNode)
        return self._comparison.compare(series, self._keeper.known(series), radius, show)

    def reconstruct(self, volumeNode: vtkMRMLVectorVolumeNode, calibration: Path | str) -> SpaceNodes:
        """Points in mm, annulus and spacing of the present stereo frame, with a calibration of OpenCV (YAML)."""
        series = seriesOf(volumeNode)
        return reconstructFrame(series, self._keeper.points(series)[series.current], Path(calibration))

    def export(self, volumeNode: vtkMRMLVectorVolumeNode, folder: Path | str, pictures: bool = False,
               adaptor: str = "", calibration: Path | None = None) -> None:
        """Write result.json, points.csv and labelme files to a new folder; ``adaptor`` (OP/VIDEO) adds AdaptOR's."""
        series = seriesOf(volumeNode)
        exportPoints(series, self._keeper.points(series), self._keeper.threshold(series), Path(folder), pictures,
                     adaptor, calibration)

    def saveLabelledFrames(self, volumeNode: vtkMRMLVectorVolumeNode, folder: Path | str) -> list[Path]:
        """Write the labelled frames as pictures with labelme files to a new folder."""
        series = seriesOf(volumeNode)
        return saveLabelledFrames(series, self._keeper.points(series), self._keeper.corrected(series), Path(folder))

    def fineTune(self, volumeNode: vtkMRMLVectorVolumeNode, folder: Path | str, steps: int,
                 weights: Path | None = None, device: str = "auto") -> FineTuning:
        """Fine-tune a network on the labelled frames in a process of its own, into a new folder."""
        folder = Path(folder)
        check_new_folder(folder)
        self.saveLabelledFrames(volumeNode, folder / FRAMES_FOLDER)
        return FineTuning(folder, steps, self._launch(trainingArguments(folder, steps, weights, device)))

    def _record(self, volumeNode: vtkMRMLVectorVolumeNode, role: str) -> PointRecord | None:
        series = existingSeries(volumeNode)
        return None if series is None else readRecord(series, role)


class SutureDetectionTest(ScriptedLoadableModuleTest):
    """Self-test in Slicer: the synthetic video, from loading to scores."""

    def setUp(self) -> None:
        """Begin in an empty scene."""
        slicer.mrmlScene.Clear()

    def runTest(self) -> None:
        """Run the self-test."""
        self.setUp()
        self.test_syntheticVideo()

    def test_syntheticVideo(self) -> None:
        """The shipped network finds most of the true points of a look that no training saw."""
        import importlib.util

        logic = SutureDetectionLogic()
        if logic.missingNetwork() or any(importlib.util.find_spec(name) is None for name in ("torch", "safetensors")):
            self.delayDisplay("Skipped: there is no network, or torch and safetensors are missing")
            return
        volume = logic.process(logic.loadSampleVideo())
        self.assertGreater(logic.compare(volume, show=True).scores.tally.f1, 0.7)
        self.assertTrue(all(len(each.points) for each in logic.points(volume).values()))
        self.delayDisplay("Test passed")
