"""What every step of this panel can do beside the steps of all panels."""

from VesselRegistrationLib.panel.step import Step

from .session import SutureSession


class SutureStep(Step):
    """One collapsible part of the panel."""

    session: SutureSession

    def showPlace(self) -> None:
        """Another frame is shown: say what is so in it. Called while replay runs, so it has to be quick."""
