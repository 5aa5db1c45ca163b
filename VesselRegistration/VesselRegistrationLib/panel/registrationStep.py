"""Step 4: find the pose, and say how far to trust it."""

from typing import Any

from slicer.i18n import tr as _

from ..registration.result_file import result_as_dict
from .choiceBox import ChoiceBox
from .dependencies import ensureNetworks
from .parameters import METHODS
from .session import PanelSession
from .step import Step
from .texts import measuresAsHtml, verdictAsHtml


class RegistrationStep(Step):
    """Method, Register or Cancel, and the verdict."""

    name = "registration"

    def __init__(self, ui: Any, session: PanelSession) -> None:
        """Connect the widgets."""
        super().__init__(ui, session)
        words = (_("Rigid pose in perspective"), _("Affine (Li et al.)"))
        self._choices = [ChoiceBox(ui.methodComboBox, session, "method", list(zip(METHODS, words, strict=True)))]
        self.connectLong(ui.registerButton, ui.progressBar, self._register)
        self._tip = ui.registerButton.toolTip

    def update(self) -> None:
        """Enable the button where nothing is missing; show the verdict that the scene holds."""
        missing, node, ui = self.session.missing, self.session.node, self.ui
        for choice in self._choices:
            choice.update()
        self.hint(missing)
        ui.registerButton.enabled = not missing
        ui.registerButton.toolTip = missing or self._tip
        record = self.session.logic.resultOf(node.transform)
        ui.statusLabel.text = verdictAsHtml(record) if record else ""
        ui.measuresLabel.text = measuresAsHtml(record) if record else ""
        ui.statusLabel.visible = ui.measuresLabel.visible = record is not None
        self.done(record is not None)

    def _register(self) -> None:
        session, node = self.session, self.session.node
        ensureNetworks()
        result, nodes = session.logic.process(
            node.model, session.xrays, node.roi, method=node.method, device=node.device, fieldOfView=node.fieldOfView,
            threshold=node.threshold, progress=session.showProgress, shouldStop=session.shouldStop)
        if session.node is None:
            return
        session.node.transform = nodes.transform if nodes else None
        if nodes is None:
            self.say(verdictAsHtml(result_as_dict(result)))
