"""What the steps of the panel share, beside what every panel of the extension has."""

from VesselRegistrationLib.panel.session import PanelSession

from ..scene.frameSeries import FrameSeries, existingSeries, problemOf


class SutureSession(PanelSession):
    """The state of one open panel of Suture Detection."""

    @property
    def missing(self) -> str:
        """Why there are no frames to work on, in one sentence; empty where there are."""
        return problemOf(self.node.volume if self.node else None)

    @property
    def series(self) -> FrameSeries | None:
        """The frames that are chosen, None before a browser drives them."""
        return existingSeries(self.node.volume) if self.node else None
