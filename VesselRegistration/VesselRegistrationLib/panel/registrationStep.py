"""Step 4: find the pose, and say how far to trust it."""

from typing import Any

import slicer
from slicer.i18n import tr as _

from ..registration.result_file import result_as_dict
from ..scene.cineBridge import dropTracking
from .choiceBox import ChoiceBox
from .dependencies import ensureNetworks
from .networkLine import ownFile
from .nodeFollower import Followed
from .parameters import AUTOMATIC, METHODS
from .session import PanelSession
from .startPanel import StartPanel
from .step import Step
from .texts import measuresAsHtml, verdictAsHtml
from .viewAdvicePart import ViewAdvicePart


class RegistrationStep(Step):
    """Method, Register or Cancel, and the verdict."""

    name = "registration"

    def __init__(self, ui: Any, session: PanelSession) -> None:
        """Connect the widgets."""
        super().__init__(ui, session)
        words = (_("Rigid pose in perspective"), _("Affine (Li et al.)"))
        self._choices = [ChoiceBox(ui.methodComboBox, session, "method", list(zip(METHODS, words, strict=True)))]
        self.connectLong(ui.registerButton, ui.progressBar, self._register)
        self.start = StartPanel(ui, self)
        self.advice = ViewAdvicePart(ui, self)
        self._tip = ui.registerButton.toolTip

    def update(self) -> None:
        """Enable the button where nothing is missing; show the verdict that the scene holds."""
        missing, node, ui = self.session.missing, self.session.node, self.ui
        for choice in self._choices:
            choice.update()
        self.start.update()
        self.advice.update()
        self.frame.enabled = not missing
        self.hint(missing)
        ui.registerButton.enabled = not missing
        ui.stayNearCheckBox.visible = node.start != AUTOMATIC
        ui.registerButton.toolTip = missing or self._tip
        record = self.session.logic.resultOf(node.transform)
        ui.statusLabel.text = verdictAsHtml(record) if record else ""
        ui.measuresLabel.text = measuresAsHtml(record) if record else ""
        ui.statusLabel.visible = ui.measuresLabel.visible = record is not None
        self.done(record is not None)

    def followed(self) -> list[Followed]:
        """The start, which handles may move, and the landmarks that the user places."""
        node, moved = self.session.node, slicer.vtkMRMLTransformableNode.TransformModifiedEvent
        points = (node.modelPoints, node.xrayPoints, node.secondXrayPoints)
        changed = (slicer.vtkMRMLMarkupsNode.PointPositionDefinedEvent, slicer.vtkMRMLMarkupsNode.PointRemovedEvent)
        return [(node.startTransform, moved, self._startMoved),
                *((each, event, self.session.refresh) for each in points for event in changed)]

    def _startMoved(self) -> None:
        self.start.show()
        self.session.moved()

    def _register(self) -> None:
        session, node = self.session, self.session.node
        ensureNetworks()
        if node.transform is not None:
            dropTracking(node.transform)
        result, nodes = session.logic.process(
            node.model, session.xrays, node.roi, session.showProgress, session.shouldStop, method=node.method,
            device=node.device, fieldOfView=node.fieldOfView, threshold=node.threshold,
            startNode=None if node.start == AUTOMATIC else node.startTransform,
            stayNear=node.stayNearStart and node.start != AUTOMATIC, network=ownFile(node.vesselNetwork))
        if session.node is None:
            return
        session.node.transform = nodes.transform if nodes else None
        if nodes is None:
            self.say(verdictAsHtml(result_as_dict(result)))
