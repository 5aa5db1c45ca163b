"""What every step of the panel can do: act for the user, run long work, say in one sentence what is missing."""

import logging
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

from slicer.i18n import tr as _

from ..errors import Cancelled, UserError
from .nodeFollower import Followed
from .session import PanelSession

DONE_MARK = "\N{CHECK MARK}"


class Step(ABC):
    """One collapsible part of the panel.

    Its widgets are found by the step's name: ``<name>CollapsibleButton``, ``<name>Frame`` with the inputs and
    ``<name>MessageLabel``.
    """

    name = ""

    def __init__(self, ui: Any, session: PanelSession) -> None:
        """Take the widgets from ``ui``; subclasses connect them."""
        self.ui, self.session = ui, session
        self.button = getattr(ui, f"{self.name}CollapsibleButton")
        self.frame = getattr(ui, f"{self.name}Frame")
        self._label = getattr(ui, f"{self.name}MessageLabel")
        self._title = self.button.text
        self._longWork: list[Any] = []
        self._said, self._hint = "", ""
        self._showMessage()

    @abstractmethod
    def update(self) -> None:
        """Show what the scene holds. Called whenever something may have changed, never while long work runs."""

    def followed(self) -> list[Followed]:
        """Nodes whose events concern this step."""
        return []

    def connect(self, widget: Any, signal: str, action: Callable[..., None], *arguments: Any) -> None:
        """Act whenever a widget sends a signal, whatever the signal brings."""
        widget.connect(signal, lambda *_signal: self.attempt(action, *arguments))

    def attempt(self, action: Callable[..., None], *arguments: Any) -> None:
        """Do something for the user; what goes wrong is said in the step."""
        if self.session.node is None or self.session.running:
            return
        self.say("")
        self.guarded(action, *arguments)
        self.session.refresh()

    def connectLong(self, button: Any, bar: Any, action: Callable[[], None]) -> None:
        """Do long work when a button is clicked; a second click cancels it."""
        bar.visible = False
        self._longWork.append(button)
        button.connect("clicked(bool)", lambda *_signal: self._run(button, bar, action))

    def enable(self, idle: bool) -> None:
        """Take input while nothing runs; else only the click that cancels."""
        self.frame.enabled = idle
        for button in self._longWork:
            button.enabled = idle or self.session.cancelsWith(button)

    def _run(self, button: Any, bar: Any, action: Callable[[], None]) -> None:
        session = self.session
        if session.running:
            session.stop()
            return
        if session.node is None:
            return
        words, button.text = button.text, _("Cancel")
        session.begin(button, bar)
        self.say("")
        session.refresh()
        try:
            self.guarded(action)
        finally:
            session.end()
            if not session.closed:
                button.text = words
        session.refresh()

    def guarded(self, action: Callable[..., None], *arguments: Any) -> None:
        """Do something, and say in the step what goes wrong."""
        try:
            action(*arguments)
        except (UserError, Cancelled) as problem:
            self.say(str(problem))
        except Exception as problem:
            logging.exception("VesselRegistration")
            self.say(_("This is a bug ({what}): see the Python console, and report it.").format(
                what=f"{type(problem).__name__}: {problem}"))

    def say(self, text: str) -> None:
        """Say something that stays until the next action in this step."""
        self._said = text
        self._showMessage()

    def hint(self, text: str) -> None:
        """Say what is missing for this step; an answer to the user's last action goes first."""
        self._hint = text
        self._showMessage()

    def done(self, done: bool) -> None:
        """Tick the step off, or not."""
        self.button.text = f"{self._title}  {DONE_MARK}" if done else self._title

    def _showMessage(self) -> None:
        if not self.session.closed:
            self._label.text = self._said or self._hint
            self._label.visible = bool(self._label.text)
