"""Where the search begins: at the isocentre, from landmarks, or where hands put the model."""

from typing import Any

import slicer
from slicer.i18n import tr as _

from ..pose.nudge import Nudge, nudge_of_pose, pose_of_nudge
from ..scene.roiBridge import removeMarkups
from ..scene.startPose import countPoints, endMarking, landmarksOf, markPoints, poseFromPoints, setStart, showHandles
from .choiceBox import ChoiceBox
from .parameters import AUTOMATIC, LANDMARKS, MANUAL, STARTS
from .step import Step

TURNS = ("turnRSlider", "turnASlider", "turnSSlider")
SHIFTS = ("shiftRSlider", "shiftASlider", "shiftSSlider")
ON_XRAYS = ("xrayPoints", "secondXrayPoints")


class StartPanel:
    """The part of the registration step that sets its start. The pose stands in a transform node of the scene."""

    def __init__(self, ui: Any, step: Step) -> None:
        """Connect the widgets; ``step`` acts and speaks for this part."""
        self.ui, self.step, self.session = ui, step, step.session
        words = (_("Model at the isocentre"), _("From landmarks"), _("By hand"))
        self._choice = ChoiceBox(ui.startComboBox, self.session, "start", list(zip(STARTS, words, strict=True)))
        step.connect(ui.markModelButton, "clicked(bool)", self._markModel)
        step.connect(ui.markXrayButton, "clicked(bool)", self._markXray, 0)
        step.connect(ui.markSecondXrayButton, "clicked(bool)", self._markXray, 1)
        step.connect(ui.useLandmarksButton, "clicked(bool)", self._useLandmarks)
        step.connect(ui.clearLandmarksButton, "clicked(bool)", self._clearLandmarks)
        step.connect(ui.resetStartButton, "clicked(bool)", self._reset)
        step.connect(ui.handlesCheckBox, "toggled(bool)", self._showHandles)
        self._sliders = [getattr(ui, name) for name in (*TURNS, *SHIFTS)]
        for slider in self._sliders:
            slider.connect("valueChanged(double)", self._nudge)

    def update(self) -> None:
        """Keep a start in the scene wherever there is a model; show the part of the chosen way."""
        node, ui = self.session.node, self.ui
        self._choice.update()
        ui.landmarksFrame.visible = node.start == LANDMARKS
        ui.manualFrame.visible = node.start == MANUAL
        ui.markSecondXrayButton.visible = node.secondXray is not None
        ui.landmarksLabel.text = self._landmarkWords()
        ui.useLandmarksButton.enabled = self._pairs() > 0
        if node.model is None or node.model.GetPolyData() is None:
            return
        if node.startTransform is None:
            node.startTransform = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLinearTransformNode", "Start pose")
            self._set(Nudge())
        elif node.start == AUTOMATIC:
            self._set(Nudge())
        if node.start != MANUAL and ui.handlesCheckBox.checked:
            ui.handlesCheckBox.checked = False
        self.show()

    def show(self) -> None:
        """Let the sliders follow the start transform, e.g. when its handles are dragged."""
        node = self.session.node
        if node is None or node.startTransform is None or node.model is None:
            return
        pose = slicer.util.arrayFromTransformMatrix(node.startTransform)
        nudge = nudge_of_pose(pose, self.session.logic.middleOf(node.model))
        for slider, value in zip(self._sliders, (*nudge.turn_deg, *nudge.shift_mm), strict=True):
            if abs(slider.value - value) > 0.5 * 10 ** -slider.decimals:
                wasBlocked = slider.blockSignals(True)
                slider.value = value
                slider.blockSignals(wasBlocked)

    def _nudge(self, _value: float) -> None:
        """A slider moves: the views follow by themselves."""
        node = self.session.node
        if node is None or self.session.running or node.startTransform is None or node.model is None:
            return
        values = [slider.value for slider in self._sliders]
        self._set(Nudge(tuple(values[:3]), tuple(values[3:])))
        self.session.showStart()

    def _set(self, nudge: Nudge) -> None:
        node = self.session.node
        middle = self.session.logic.middleOf(node.model)
        setStart(node.startTransform, pose_of_nudge(nudge, middle), middle)

    def _reset(self) -> None:
        """Begin by hand where the last result is, or else at the isocentre."""
        node = self.session.node
        if node.transform is None:
            self._set(Nudge())
        else:
            setStart(node.startTransform, slicer.util.arrayFromTransformMatrix(node.transform),
                     self.session.logic.middleOf(node.model))

    def _showHandles(self) -> None:
        if self.session.node.startTransform is not None:
            showHandles(self.session.node.startTransform, self.ui.handlesCheckBox.checked)
            self.session.showStart()

    def _markModel(self) -> None:
        node = self.session.node
        self.session.showStart()
        node.modelPoints = markPoints(slicer.mrmlScene, node.modelPoints, "Model landmarks", node.startTransform)

    def _markXray(self, number: int) -> None:
        node, field = self.session.node, ON_XRAYS[number]
        points = markPoints(slicer.mrmlScene, getattr(node, field), f"X-ray {number + 1} landmarks")
        self.session.restrictToXray(points, number)
        setattr(node, field, points)

    def _pairs(self) -> int:
        node, xrays = self.session.node, self.session.xrays
        if not xrays or any(xray.GetImageData() is None for xray in xrays):
            return 0
        return len(landmarksOf(node.modelPoints, self._xrayPoints(), xrays).points)

    def _xrayPoints(self) -> list[slicer.vtkMRMLMarkupsFiducialNode | None]:
        return [getattr(self.session.node, field) for field, _xray in zip(ON_XRAYS, self.session.xrays, strict=False)]

    def _landmarkWords(self) -> str:
        node = self.session.node
        counts = [countPoints(node.modelPoints), countPoints(node.xrayPoints), countPoints(node.secondXrayPoints)]
        words = _("{model} on the model, {first} on the X-ray").format(model=counts[0], first=counts[1])
        if node.secondXray is not None:
            words += _(", {second} on the second view").format(second=counts[2])
        return words + _(". Mark the same places in the same order: at least 4 in one view, or 3 in each of two.")

    def _useLandmarks(self) -> None:
        node = self.session.node
        endMarking(slicer.mrmlScene)
        found = poseFromPoints(node.modelPoints, self._xrayPoints(), self.session.xrays)
        setStart(node.startTransform, found.model_to_world, self.session.logic.middleOf(node.model))
        self.session.showStart()
        self.step.say(_("The landmarks stay {most:.1f} mm off their pixels at most (at the isocentre). Register "
                        "refines this pose.").format(most=float(found.misses_mm.max())))

    def _clearLandmarks(self) -> None:
        node = self.session.node
        endMarking(slicer.mrmlScene)
        for field in ("modelPoints", *ON_XRAYS):
            points = getattr(node, field)
            setattr(node, field, None)
            if points is not None:
                removeMarkups(points)
