"""What a registration tells on the terminal."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..dicom.sanity import SanityReport
    from ..registration.result import RegistrationResult


def print_summary(result: "RegistrationResult") -> None:
    """Status with its reason, then one line per view."""
    print(f"{result.status}: {result.reason}")
    if not result.found:
        return
    for number, view in enumerate(result.views):
        overlap = view.overlap
        print(f"  view {number}: {view.frame.path.name}, frame {view.frame.frame_number}, {view.view.clinical_angles}, "
              f"Dice {overlap.dice:.2f}, precision {overlap.precision:.2f}, recall {overlap.recall:.2f}")
    for note in result.confidence.notes if result.confidence else ():
        print(f"  {note}")


def print_concerns(name: str, sanity: "SanityReport") -> None:
    """The lines of a sanity report that are not ok."""
    for row in sanity.rows:
        if row.level != "ok":
            print(f"  {name}: {row.item}: {row.says}")
