"""vessel-registration project: the model as an X-ray view sees it before registration, to choose a region in."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from .inputs import frames_of, model_of, runs_of
from .options import add_model_options, add_xray_options, new_command

if TYPE_CHECKING:
    from .options import Commands


def add_parser(commands: "Commands") -> None:
    """Add the command to the command line."""
    parser = new_command(commands, "project", "Draw the model as an X-ray view sees it with its middle at the "
                         "isocentre, which is where registration starts.", run)
    add_model_options(parser)
    add_xray_options(parser)
    parser.add_argument("--silhouette", action="store_true", help="draw the silhouette (0 and 255) instead of shading")
    parser.add_argument("--out", type=Path, required=True, metavar="PNG", help="new picture, as large as the X-ray")


def run(options: argparse.Namespace) -> None:
    """Read, project, write."""
    from ..projection.rasterizer import path_length, silhouette
    from ..registration.pipeline import initial_pose
    from ..rendering.files import check_new_picture, write_picture
    from ..rendering.pictures import mask_picture, shaded_picture

    check_new_picture(options.out)
    [opened] = runs_of(options)
    model = model_of(options)
    [frame] = frames_of(options, [opened])
    projection = frame.view().projection_matrix @ initial_pose(model)
    if options.silhouette:
        picture = mask_picture(silhouette(model, projection, opened.shape))
    else:
        picture = shaded_picture(path_length(model, projection, opened.shape))
    write_picture(options.out, picture)
    print(f"Frame {frame.frame_number}, {frame.view().clinical_angles}: written to {options.out}")
