"""vessel-registration inspect: the sanity report of an X-ray file."""

import argparse
import json
from typing import TYPE_CHECKING

from .inputs import runs_of
from .options import add_xray_options, new_command

if TYPE_CHECKING:
    from .options import Commands


def add_parser(commands: "Commands") -> None:
    """Add the command to the command line."""
    parser = new_command(commands, "inspect", "Tell what an XA file says, what is missing and what does not fit.", run)
    add_xray_options(parser, frame=False)
    parser.add_argument("--json", action="store_true", help="print the report as JSON")


def run(options: argparse.Namespace) -> None:
    """Print the report."""
    [opened] = runs_of(options)
    rows, columns = opened.shape
    if options.json:
        print(json.dumps({"file": opened.path.name, "frames": opened.frame_count, "rows": rows, "columns": columns,
                          **opened.sanity.as_dict()}, indent=2))
        return
    frames = f"{opened.frame_count} frames (0 to {opened.frame_count - 1})" if opened.frame_count > 1 else "one frame"
    print(f"{opened.path.name}: {frames}, {columns} x {rows} pixels")
    print(opened.sanity.as_text())
