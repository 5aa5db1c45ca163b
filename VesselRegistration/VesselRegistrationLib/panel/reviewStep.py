"""Step 5: look at the result, keep it or take it back."""

from html import escape
from pathlib import Path
from typing import Any

from slicer.i18n import tr as _

from ..errors import UserError
from .choiceBox import ChoiceBox
from .dependencies import ensureDicomWriting, ensureReading
from .parameters import STYLES
from .session import PanelSession
from .step import Step
from .texts import resultAsHtml


class ReviewStep(Step):
    """How the fused picture is shown, undo, and files."""

    name = "review"

    def __init__(self, ui: Any, session: PanelSession) -> None:
        """Connect the widgets; opacity and check boxes belong to the parameter node."""
        super().__init__(ui, session)
        words = (_("Filled"), _("Contour"), _("Shaded by thickness"), _("Comparison with the vessel mask"))
        self._style = ChoiceBox(ui.styleComboBox, session, "overlayStyle", list(zip(STYLES, words, strict=True)))
        self._table = ""
        self.connectLong(ui.saveReportButton, ui.reviewProgressBar, self._saveReport)
        self.connect(ui.savePoseButton, "clicked(bool)", self._savePose)
        self.connect(ui.saveDicomButton, "clicked(bool)", self._saveDicom)
        self.connect(ui.undoButton, "clicked(bool)", self._undo)

    def update(self) -> None:
        """Enable the step where there is a result."""
        self._style.update()
        record = self.session.logic.resultOf(self.session.node.transform)
        registered = record is not None
        self.frame.enabled = registered
        self.hint("" if registered else _("Register first."))
        self.done(registered)
        self.ui.saveReportButton.enabled = registered
        self.ui.resultBrowser.visible = registered
        table = resultAsHtml(record) if record else ""
        if table != self._table:  # a new text scrolls back to the top
            self._table = self.ui.resultBrowser.html = table
        self.ui.comparisonLabel.visible = self.session.node.overlayStyle == "comparison"

    def _undo(self) -> None:
        session = self.session
        node = session.node
        if not session.logic.undo(node.model, session.xrays, node.transform):
            node.transform = None

    def _folder(self) -> Path:
        chosen = self.ui.folderPathLineEdit.currentPath
        if not chosen:
            raise UserError(_("No folder is named: choose where to save first."))
        return Path(chosen)

    def _saved(self, folder: Path) -> None:
        self.say(_("Saved in {folder}.").format(folder=escape(str(folder))))

    def _saveReport(self) -> None:
        session, node = self.session, self.session.node
        ensureReading()
        self._saved(session.logic.saveReport(node.model, session.xrays, node.transform, self._folder(),
                                             session.showProgress))

    def _savePose(self) -> None:
        node = self.session.node
        self._saved(self.session.logic.savePose(node.model, node.transform, self._folder()))

    def _saveDicom(self) -> None:
        node = self.session.node
        ensureDicomWriting()
        self._saved(self.session.logic.saveDicom(node.model, self.session.xrays, node.transform, self._folder()))
