"""Which second view would help most, and how the model would look in it."""

from typing import Any

from .step import Step


class ViewAdvicePart:
    """The part of the registration step that suggests a second view; there only while one X-ray is chosen."""

    def __init__(self, ui: Any, step: Step) -> None:
        """Connect the widgets; ``step`` acts and speaks for this part."""
        self.ui, self.step, self.session = ui, step, step.session
        step.connectLong(ui.adviseButton, ui.adviceProgressBar, self._advise)
        step.connect(ui.previewButton, "toggled(bool)", lambda: None)  # the views ask for it when they update

    def update(self) -> None:
        """Show the advice that the X-ray keeps for the present pose."""
        node, ui = self.session.node, self.ui
        alone = not self.session.missing and node.secondXray is None
        advice = self.session.logic.adviceOf(node.xray, self._pose()) if alone else None
        ui.adviseButton.visible = alone
        ui.adviceLabel.visible = advice is not None
        ui.adviceLabel.text = advice["sentence"] if advice else ""
        possible = advice is not None and advice["view"] is not None
        ui.previewButton.visible = possible
        if not possible and ui.previewButton.checked:
            wasBlocked = ui.previewButton.blockSignals(True)
            ui.previewButton.checked = False
            ui.previewButton.blockSignals(wasBlocked)
        shown = possible and ui.previewButton.checked
        self.session.preview = self.session.logic.previewOf(node.xray) if shown else None

    def _pose(self) -> Any:
        return self.session.node.transform or self.session.node.startTransform

    def _advise(self) -> None:
        session, node = self.session, self.session.node
        session.logic.adviseView(node.model, node.xray, self._pose(), session.showProgress, session.shouldStop)
