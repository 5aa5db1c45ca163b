"""Entry point of the command vessel-registration. Nothing heavy is imported before the options are understood."""

import argparse
import os
import sys
import warnings
from collections.abc import Sequence
from typing import NoReturn

from .. import __version__
from ..errors import Cancelled, UserError
from . import (
    advise,
    batch,
    benchmark,
    demo,
    evaluate,
    export_dicom,
    inspect,
    project,
    register,
    segment,
    simulate,
    track,
    train,
)

DONE = 0
BUG = 1
USER_ERROR = 2
STOPPED = 130

_COMMANDS = (register, batch, track, advise, inspect, project, segment, simulate, demo, export_dicom, train,
             evaluate, benchmark)


class _Parser(argparse.ArgumentParser):
    """A parser whose complaints are user errors like all others: one sentence."""

    def error(self, message: str) -> NoReturn:
        raise UserError(f"{message[:1].upper()}{message[1:].rstrip('.')}: see {self.prog} --help.")


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command line and give its exit code: 0 done, 2 user error (one sentence), 1 bug, 130 stopped."""
    debug = False
    # Waiting threads must not burn the cores that others need: on a busy machine a network runs ten times slower then.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    try:
        options = _parser().parse_args(argv)
        debug = options.debug
        if not debug:
            warnings.simplefilter("ignore")
        options.run(options)
    except UserError as problem:
        print(problem, file=sys.stderr)
        return USER_ERROR
    except (KeyboardInterrupt, Cancelled):
        print("Stopped.", file=sys.stderr)
        return STOPPED
    except Exception as problem:
        if debug:
            raise
        print(f"This is a bug in vessel-registration ({type(problem).__name__}: {problem}): run it again with --debug "
              "and report what it prints.", file=sys.stderr)
        return BUG
    return DONE


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="vessel-registration", description="Register vessel models from CTA to X-ray angiography and "
                     "fuse them. Research software, not a medical device.",
                     epilog="Frames are counted from 0; pixels are given as column, row, counted from 0.")
    parser.add_argument("--version", action="version", version=f"vessel-registration {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for command in _COMMANDS:
        command.add_parser(commands)
    return parser
