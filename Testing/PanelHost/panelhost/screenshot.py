"""``python -m panelhost.screenshot OUT.png [--sample] [--register]``: a picture of the panel, for people to look at."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

MODULE_FILE = Path(__file__).parents[3] / "VesselRegistration" / "VesselRegistration.py"


def main() -> int:
    """Open the panel, click what was asked for, save the picture."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--sample", action="store_true", help="load the sample case first")
    parser.add_argument("--register", action="store_true", help="load the sample case and register it first")
    parser.add_argument("--width", type=int, default=520)
    chosen = parser.parse_args()
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    from .host import Host

    host = Host()
    widget = host.openPanel(MODULE_FILE)
    widget.parent.resize(chosen.width, 200)
    if chosen.sample or chosen.register:
        widget.ui.sampleButton.click()
    if chosen.register:
        widget.ui.registerButton.click()
    host.settle()
    needed = widget.parent.layout().totalHeightForWidth(chosen.width)
    widget.parent.resize(chosen.width, max(widget.parent.sizeHint.height(), needed))
    host.settle()
    saved = widget.parent.grab().save(str(chosen.out))
    host.close(widget)
    return 0 if saved and not host.notice.errors else 1


if __name__ == "__main__":
    sys.exit(main())
