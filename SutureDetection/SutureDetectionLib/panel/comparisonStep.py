"""Step 4: compare what was found with labels: loaded ones, else the frames labelled in step 3."""

import math
from pathlib import Path
from typing import Any

from slicer.i18n import tr as _
from VesselRegistrationLib.errors import UserError
from VesselRegistrationLib.panel.choiceBox import ChoiceBox

from ..evaluation.scoring import Tally
from ..scene.comparison import Comparison
from .parameters import RADII
from .session import SutureSession
from .sutureStep import SutureStep


class ComparisonStep(SutureStep):
    """Labels, radius, colours in the frame, and the scores."""

    name = "comparison"

    def __init__(self, ui: Any, session: SutureSession) -> None:
        """Connect the widgets; the check box belongs to the parameter node."""
        super().__init__(ui, session)
        self._radius = ChoiceBox(ui.radiusComboBox, session, "radius", [(each, f"{each} px") for each in RADII])
        self.connect(ui.loadLabelsButton, "clicked(bool)", self._load, ui.labelsPathLineEdit)
        self.connect(ui.loadLabelsFileButton, "clicked(bool)", self._load, ui.labelsFilePathLineEdit)
        self._found: Comparison | None = None

    def update(self) -> None:
        """Compare what is there."""
        session, node = self.session, self.session.node
        self._radius.update()
        self.frame.enabled = not session.missing
        labelled = session.series is not None and session.logic.hasLabels(node.volume)
        self.hint(session.missing or ("" if labelled else _(
            "There are no labels: choose their folder or file, or label frames in step 3.")))
        self.ui.comparisonCheckBox.enabled = labelled
        self._found = None
        if session.series is not None:
            self.guarded(self._compare)
        self.showPlace()
        self.done(self._found is not None)

    def showPlace(self) -> None:
        """Say how the frame that is shown compares, and all of them."""
        series = self.session.series
        if self._found is None or series is None:
            self.ui.scoresLabel.text = ""
            return
        tally = self._found.tallies.get(series.current)
        here = _("This frame has no labels.") if tally is None else self._counts(_("This frame"), tally)
        scores = self._found.scores
        lines = [here, self._counts(_("{count} labelled pictures").format(count=scores.images),
                                    scores.by_radius[float(self.session.node.radius)]),
                 _("RMSE {rmse} px over pictures with points; {empty} without.").format(
                     rmse=_number(scores.rmse_px, 1), empty=scores.images_without_points)]
        self.ui.scoresLabel.text = "<br>".join(lines)

    def _counts(self, what: str, tally: Tally) -> str:
        return _("<b>{what}</b>: {tp} found, {fn} missed, {fp} false; PPV {ppv}, TPR {tpr}, F1 {f1}").format(
            what=what, tp=tally.tp, fn=tally.fn, fp=tally.fp, ppv=_number(tally.ppv, 2), tpr=_number(tally.tpr, 2),
            f1=_number(tally.f1, 2))

    def _compare(self) -> None:
        node = self.session.node
        self._found = self.session.logic.compare(node.volume, float(node.radius), show=node.showComparison)

    def _load(self, edit: Any) -> None:
        if not edit.currentPath:
            raise UserError(_("No labels are named: choose their folder, or the file of this frame."))
        count = self.session.logic.loadLabels(self.session.node.volume, Path(edit.currentPath))
        self.session.node.showComparison = True
        self.say(_("Labels of {count} frames.").format(count=count))


def _number(value: float, digits: int) -> str:
    return _("not defined") if math.isnan(value) else f"{value:.{digits}f}"
