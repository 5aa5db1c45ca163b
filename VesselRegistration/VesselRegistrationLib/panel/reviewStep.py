"""Step 5: look at the result, keep it or take it back."""

from typing import Any

from slicer.i18n import tr as _

from .choiceBox import ChoiceBox
from .parameters import STYLES
from .session import PanelSession
from .step import Step


class ReviewStep(Step):
    """How the fused picture is shown, and undo."""

    name = "review"

    def __init__(self, ui: Any, session: PanelSession) -> None:
        """Connect the widgets; opacity and check boxes belong to the parameter node."""
        super().__init__(ui, session)
        words = (_("Filled"), _("Contour"), _("Shaded by thickness"), _("Comparison with the vessel mask"))
        self._style = ChoiceBox(ui.styleComboBox, session, "overlayStyle", list(zip(STYLES, words, strict=True)))
        self.connect(ui.undoButton, "clicked(bool)", self._undo)

    def update(self) -> None:
        """Enable the step where there is a result."""
        self._style.update()
        transform = self.session.node.transform
        registered = self.session.logic.resultOf(transform) is not None
        self.frame.enabled = registered
        self.hint("" if registered else _("Register first."))
        self.done(registered)
        self.ui.comparisonLabel.visible = self.session.node.overlayStyle == "comparison"

    def _undo(self) -> None:
        session = self.session
        node = session.node
        if not session.logic.undo(node.model, session.xrays, node.transform):
            node.transform = None
