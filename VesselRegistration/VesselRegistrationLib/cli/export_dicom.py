"""vessel-registration export-dicom: a result as DICOM objects of the patient's study."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from .options import add_output_folder, new_command

if TYPE_CHECKING:
    from .options import Commands


def add_parser(commands: "Commands") -> None:
    """Add the command to the command line."""
    parser = new_command(commands, "export-dicom", "Write a result as DICOM: the pose as Spatial Registration, masks "
                         "as Segmentation, overlays as Secondary Capture, in the study of the X-ray.", run,
                         epilog="The files name the patient as the X-ray does. The frame of reference of the pose has "
                                "the patient's axes (LPS) and its origin at the isocentre.")
    parser.add_argument("--result", type=Path, required=True, metavar="DIR", help="folder that register wrote")
    parser.add_argument("--xa", type=Path, required=True, action="append", metavar="FILE",
                        help="XA DICOM file of the result; give it again for the second view")
    parser.add_argument("--cta", type=Path, metavar="FILE",
                        help="any DICOM file of the CTA that the model was made from: the pose then starts from its "
                             "frame of reference")
    parser.add_argument("--catheter-mask", type=Path, action="extend", nargs="+", default=[], metavar="PNG",
                        help="catheter masks to write beside the vessels, one for each --xa in the same order")
    add_output_folder(parser)


def run(options: argparse.Namespace) -> None:
    """Write, and print the names of the files."""
    from ..dicom_out.result_folder import write_dicom_folder

    written = write_dicom_folder(options.result, options.xa, options.out, options.cta, options.catheter_mask)
    print("\n".join(path.name for path in written))
    print(f"Written to {options.out}")
