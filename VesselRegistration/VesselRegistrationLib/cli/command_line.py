"""What all commands of the extension have in common: one sentence per error, exit codes, --debug."""

import argparse
import os
import sys
import warnings
from collections.abc import Callable, Iterable, Sequence
from types import ModuleType
from typing import NoReturn

from ..errors import Cancelled, UserError

DONE = 0
BUG = 1
USER_ERROR = 2
STOPPED = 130


class CommandParser(argparse.ArgumentParser):
    """A parser whose complaints are user errors like all others: one sentence."""

    def error(self, message: str) -> NoReturn:
        """Raise the complaint as UserError."""
        raise UserError(f"{message[:1].upper()}{message[1:].rstrip('.')}: see {self.prog} --help.")


def command_parser(prog: str, version: str, description: str, commands: Iterable[ModuleType]) -> CommandParser:
    """The parser of a command line whose ``commands`` are modules with a function ``add_parser``."""
    parser = CommandParser(prog=prog, description=description,
                           epilog="Frames are counted from 0; pixels are given as column, row, counted from 0.")
    parser.add_argument("--version", action="version", version=f"{prog} {version}")
    kinds = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for command in commands:
        command.add_parser(kinds)
    return parser


def run_command_line(make_parser: Callable[[], CommandParser], argv: Sequence[str] | None) -> int:
    """Run a command line and give its exit code: 0 done, 2 user error (one sentence), 1 bug, 130 stopped.

    Every command of the parser has the options ``debug`` and ``run``.
    """
    debug = False
    # Threads wait awake for the next layer of a network, and not much longer: for others they would burn the cores.
    os.environ.setdefault("GOMP_SPINCOUNT", "20000")
    parser = make_parser()
    try:
        options = parser.parse_args(argv)
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
        print(f"This is a bug in {parser.prog} ({type(problem).__name__}: {problem}): run it again with --debug "
              "and report what it prints.", file=sys.stderr)
        return BUG
    return DONE
