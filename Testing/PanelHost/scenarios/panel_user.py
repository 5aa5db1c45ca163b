"""What the user of a panel reads, and does while it works."""

from __future__ import annotations

import re

WORDS = re.compile(r"<[^>]+>")


def said(label) -> str:
    """The text of a label without its markup."""
    return WORDS.sub(" ", label.text).strip()


def isSentence(text: str) -> bool:
    """Whether a text reads as words for a user, not as a traceback or a Python exception."""
    return len(text.split()) >= 2 and not re.search("Traceback|Error:|This is a bug", text)


def during(widget, action) -> None:
    """Do ``action`` once, when the work that is started next first shows its progress."""
    original, done = widget.session.showProgress, []

    def show(fraction, text):
        original(fraction, text)
        if not done:
            done.append(True)
            action()

    widget.session.showProgress = show
