"""vessel-registration register: model and X-ray files in, folder with result and pictures out."""

import argparse
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from .inputs import frames_of, masks_of, model_of, runs_of
from .options import (
    add_method_option,
    add_model_options,
    add_output_folder,
    add_segmentation_options,
    add_xray_options,
    new_command,
    rectangle,
)
from .progress_bar import progress_bar
from .start import add_start_options, apply_replay, frames_in_reference, start_of
from .summary import print_concerns, print_summary

if TYPE_CHECKING:
    from .options import Commands


def add_parser(commands: "Commands") -> None:
    """Add the command to the command line."""
    parser = new_command(commands, "register", "Register a vessel model to one or more X-ray views.", run)
    add_model_options(parser)
    add_xray_options(parser, several=True)
    parser.add_argument("--roi", type=rectangle, metavar="X0,Y0,X1,Y1",
                        help="match only this part of the projected model, in pixels of the X-ray: first column and "
                             "row inside, first ones beyond (see the command project)")
    parser.add_argument("--mask", type=Path, action="extend", nargs="+", metavar="PNG",
                        help="vessel masks to match instead of the network's, one for each --xa in the same order")
    add_method_option(parser)
    add_start_options(parser)
    parser.add_argument("--deform", action="store_true",
                        help="then bend the model along its vessels where the masks of two views ask for it, as stiff "
                             "wires do; writes deformation.json and bent_model.vtp")
    add_segmentation_options(parser)
    add_output_folder(parser)


def run(options: argparse.Namespace) -> None:
    """Read, register, write, and print a summary."""
    from ..deformation.fitting import check_views
    from ..progress import part_of
    from ..registration.deformed import bend_result, deformation_as_dict
    from ..registration.pipeline import RegistrationRequest, register
    from ..registration.timing import StageClock
    from ..rendering.files import write_result
    from ..rendering.new_folder import check_new_folder

    check_new_folder(options.out)
    apply_replay(options)
    clock = StageClock()
    with progress_bar() as progress:
        with clock.stage("reading"):
            progress(0.0, "reading")
            masks = masks_of(options)
            runs = runs_of(options)
            model = model_of(options)
            frames, trusted = frames_in_reference(options, frames_of(options, runs))
        views = [frame.view() for frame in frames]
        if options.deform:
            check_views(views)
        start, limits = start_of(options, views)
        request = RegistrationRequest(model, tuple(frames), masks, options.roi, options.method, options.device,
                                      options.field_of_view, options.threshold, start, limits,
                                      options.vessel_network)
        result = register(request, part_of(progress, 0.05, 0.7))
        deformation = None
        if options.deform and result.found:
            with clock.stage("bending"):
                result, deformation = bend_result(result, model, part_of(progress, 0.7, 0.8))
        result = replace(result, timings_s={**clock.seconds, **result.timings_s})
        shown = model if deformation is None else deformation.model
        write_result(result, shown, options.out, part_of(progress, 0.8, 1.0),
                     {"deformation.json": deformation_as_dict(deformation)} if deformation else None,
                     {"bent_model.vtp": shown} if deformation and deformation.bends else None)
    print_summary(result)
    if deformation is not None:
        print(f"  {deformation.sentence}")
    for note in trusted:
        print(f"  {note}")
    for note in model.notes:
        print(f"  {options.model.name}: {note}")
    for opened in runs:
        print_concerns(opened.path.name, opened.sanity)
    print(f"Written to {options.out}")
