"""vessel-registration simulate: a case with known truth, as files."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import UserError
from .inputs import model_of
from .options import add_model_options, add_output_folder, new_command, whole_number
from .progress_bar import progress_bar

if TYPE_CHECKING:
    from .options import Commands


def add_parser(commands: "Commands") -> None:
    """Add the command to the command line."""
    parser = new_command(commands, "simulate", "Simulate a case with known truth: vessel mesh, two XA runs, masks, and "
                         "truth.json.", run)
    parser.add_argument("--seed", type=whole_number, required=True, metavar="N", help="same seed, same case")
    parser.add_argument("--family", choices=("upper", "lower"),
                        help="thoracic aorta (upper) or abdominal aorta and iliac arteries (lower, the default)")
    parser.add_argument("--ct", type=Path, metavar="FILE",
                        help="background from this CT volume (NIfTI, NRRD, MetaImage), vessel from --model")
    add_model_options(parser, required=False)
    add_output_folder(parser)


def run(options: argparse.Namespace) -> None:
    """Simulate and write."""
    if (options.ct is None) != (options.model is None):
        raise UserError("A case from a CT needs the CT and a vessel model: give both --ct and --model, or neither.")
    if options.ct is not None and options.family is not None:
        raise UserError("A case from a CT has no simulated anatomy: leave --family out.")
    with progress_bar() as progress:
        if options.ct is None:
            from ..simulation.case import write_case

            write_case(options.out, options.family or "lower", options.seed, progress=progress)
        else:
            from ..rendering.new_folder import check_new_folder
            from ..simulation.ct_case import read_ct, write_case_from_ct

            check_new_folder(options.out)
            write_case_from_ct(options.out, read_ct(options.ct), model_of(options), options.seed, progress=progress)
    print(f"Written to {options.out}")
