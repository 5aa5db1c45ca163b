"""What is written into a view: angles in the clinic's words, SID, frame, and which side of the patient is where."""

import vtk

from ..geometry.carm import CArmView
from ..rendering.legend import patient_side

_COLOR = (0.92, 0.92, 0.92)
_SIZE = 14


class CornerText:
    """The text of one view. It lies beside Slicer's own corner texts, which other modules write and wipe out."""

    def __init__(self, renderer: vtk.vtkRenderer) -> None:
        """Add the text, empty, to a renderer. Its size is in points, so it grows with the screen's scale."""
        self._renderer = renderer
        self._actor = vtk.vtkCornerAnnotation()
        self._actor.SetMaximumFontSize(_SIZE)
        self._actor.SetLinearFontScaleFactor(2)
        self._actor.SetNonlinearFontScaleFactor(1)
        self._actor.PickableOff()
        style = self._actor.GetTextProperty()
        style.SetColor(*_COLOR)
        style.ShadowOn()
        renderer.AddViewProp(self._actor)

    def show(self, view: CArmView | None, frame: tuple[int, int] = (0, 1), note: str = "",
             sides: bool = True) -> None:
        """Write the facts of a view, none where it is None.

        ``frame`` is the frame's number (0-based) and how many there are; ``note`` a word of the module; ``sides`` adds
        the letters of the patient's sides at the edges.
        """
        actor = self._actor
        actor.SetText(vtk.vtkCornerAnnotation.UpperRight, "\n".join(factLines(view, frame, note)))
        edges = (vtk.vtkCornerAnnotation.RightEdge, vtk.vtkCornerAnnotation.LeftEdge,
                 vtk.vtkCornerAnnotation.LowerEdge, vtk.vtkCornerAnnotation.UpperEdge)
        letters = sideLetters(view) if view is not None and sides else ("",) * 4
        for edge, letter in zip(edges, letters, strict=True):
            actor.SetText(edge, letter)

    def remove(self) -> None:
        """Take the text out of the view."""
        self._renderer.RemoveViewProp(self._actor)


def factLines(view: CArmView | None, frame: tuple[int, int] = (0, 1), note: str = "") -> list[str]:
    """The lines of the corner: angles, distance, frame, note."""
    lines = [] if view is None else [view.clinical_angles, f"SID {view.sid_mm:.0f} mm"]
    number, count = frame
    if count > 1:
        lines.append(f"frame {number} (of 0 to {count - 1})")
    return [*lines, note] if note else lines


def sideLetters(view: CArmView) -> tuple[str, str, str, str]:
    """The patient's sides at the right, left, lower and upper edge of the image: R, L, A, P, H or F."""
    col, row = view.image_axes
    return patient_side(col), patient_side(-col), patient_side(row), patient_side(-row)
