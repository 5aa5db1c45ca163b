"""Options that several commands share."""

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from ..errors import UserError

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]

Value = TypeVar("Value")

FIELDS_OF_VIEW = ("lower", "upper")
METHODS = ("pose", "affine")
DEVICES = ("auto", "cpu", "cuda")


def new_command(commands: "Commands", name: str, text: str, run: Callable[[argparse.Namespace], None],
                **more: Any) -> argparse.ArgumentParser:
    """Add a command with its one-line description and the function that does it."""
    parser = commands.add_parser(name, help=text, description=text, **more)
    parser.add_argument("--debug", action="store_true", help="show where in the program an unexpected error happened")
    parser.set_defaults(run=run)
    return parser


def add_model_options(parser: argparse.ArgumentParser, required: bool = True) -> None:
    """The vessel model."""
    group = parser.add_argument_group("vessel model")
    group.add_argument("--model", type=Path, required=required, metavar="FILE", help="VTP, VTK, STL, OBJ or PLY")
    group.add_argument("--model-space", choices=("RAS", "LPS"),
                       help="coordinate system of the file (default: what its header says, else LPS)")
    group.add_argument("--model-unit", default="mm", choices=("mm", "cm", "m", "um"), help="unit of the file")


def add_xray_options(parser: argparse.ArgumentParser, several: bool = False, frame: bool = True) -> None:
    """X-ray files and their geometry, and the ``frame`` where one is used; all as lists.

    ``several`` lets --xa be given repeatedly, and then the other options too.
    """
    group = parser.add_argument_group("X-ray")
    times: dict[str, Any] = {"action": "append"} if several else {"nargs": 1}
    each = " (once for all --xa, or once for each)" if several else ""
    group.add_argument("--xa", type=Path, required=True, metavar="FILE", **times,
                       help="XA DICOM file" + ("; give it again for a second view" if several else ""))
    if frame:
        group.add_argument("--frame", type=int, metavar="N", **times,
                           help=f"frame, counted from 0 (default: the one with the strongest contrast){each}")
    for option, metavar, text in (("--primary", "DEG", "primary angle, LAO positive"),
                                  ("--secondary", "DEG", "secondary angle, cranial positive"),
                                  ("--sid", "MM", "distance from source to detector"),
                                  ("--sod", "MM", "distance from source to patient (isocentre)"),
                                  ("--pixel-spacing", "MM", "imager pixel spacing, at the detector")):
        group.add_argument(option, type=float, metavar=metavar, **times, help=f"{text}; wins over the header{each}")


def add_segmentation_options(parser: argparse.ArgumentParser) -> None:
    """What the vessel networks need to be told."""
    group = parser.add_argument_group("finding vessels")
    group.add_argument("--field-of-view", "--fov", default="auto", choices=("auto", *FIELDS_OF_VIEW),
                       help="lower: abdomen to legs; upper: chest (default: what header and image say)")
    group.add_argument("--threshold", type=float, default=0.5, metavar="P",
                       help="probability from which a pixel is vessel (default 0.5)")
    group.add_argument("--vessel-network", type=Path, metavar="FILE",
                       help="card or weights of a vessel network of your own (see train export), in place of the "
                            "shipped ones")
    add_device_option(group)


def add_device_option(parser: "argparse.ArgumentParser | argparse._ArgumentGroup") -> None:
    """Where networks run."""
    parser.add_argument("--device", default="auto", choices=DEVICES, help="where networks run (default auto)")


def add_method_option(parser: argparse.ArgumentParser) -> None:
    """How the pose is found."""
    parser.add_argument("--method", default="pose", choices=METHODS,
                        help="pose: six degrees of freedom in perspective (default); affine: the paper's")


def add_output_folder(parser: argparse.ArgumentParser, required: bool = True) -> None:
    """The output folder."""
    parser.add_argument("--out", type=Path, required=required, metavar="DIR", help="new or empty folder for the output")


def whole_number(text: str) -> int:
    """A whole number from 0."""
    try:
        number = int(text)
    except ValueError:
        number = -1
    if number < 0:
        raise argparse.ArgumentTypeError(f"'{text}' is no whole number from 0")
    return number


def positive_number(text: str) -> int:
    """A whole number from 1."""
    number = whole_number(text)
    if number == 0:
        raise argparse.ArgumentTypeError("it must be at least 1")
    return number


def rectangle(text: str) -> tuple[float, float, float, float]:
    """X0,Y0,X1,Y1."""
    try:
        x0, y0, x1, y1 = (float(part) for part in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f"'{text}' is not of the form X0,Y0,X1,Y1") from None
    return x0, y0, x1, y1


def for_each(values: Sequence[Value] | None, count: int, option: str) -> list[Value | None]:
    """Values of an option for ``count`` X-rays: none, one for all, or one for each. Raises UserError otherwise."""
    if not values:
        return [None] * count
    if len(values) == 1:
        return [values[0]] * count
    if len(values) != count:
        raise UserError(f"There are {len(values)} values of {option} for {count} X-rays: give it once for all of them, "
                        "or once for each.")
    return list(values)
