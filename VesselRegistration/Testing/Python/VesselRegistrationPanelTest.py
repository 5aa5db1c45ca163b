"""The panel clicked through in Slicer: the way of the tutorial, and a few wrong orders."""

import importlib.util
import unittest

import slicer

NEEDED = ("torch", "safetensors", "skimage", "monai")


class VesselRegistrationPanelTest(unittest.TestCase):
    """Every test begins in an empty scene with the module's panel open."""

    def setUp(self) -> None:
        """Open the panel."""
        slicer.mrmlScene.Clear(False)
        self.widget = slicer.modules.vesselregistration.widgetRepresentation().self()
        self.widget.enter()
        self.ui = self.widget.ui

    def tearDown(self) -> None:
        """Leave the panel."""
        self.widget.exit()
        slicer.mrmlScene.Clear(False)

    def test_emptySceneSaysWhatIsMissing(self) -> None:
        """Nothing can be done but loading, and every step says why."""
        self.assertFalse(self.ui.registerButton.enabled)
        for label in (self.ui.dataMessageLabel, self.ui.projectionMessageLabel, self.ui.registrationMessageLabel):
            self.assertIn("model", label.text)
        self.assertIn("Register", self.ui.reviewMessageLabel.text)

    def test_sampleCaseToTheFusedView(self) -> None:
        """Two clicks: the model lies on the X-ray, and the light is green."""
        self._needNetworks()
        self.ui.sampleButton.click()
        self.assertTrue(self.ui.registerButton.enabled)
        self.ui.registerButton.click()
        self.assertIn("Accepted", self.ui.statusLabel.text)
        transform = self.widget.logic.getParameterNode().transform
        self.assertIsNotNone(transform)
        self.ui.undoButton.click()
        self.assertIsNone(self.widget.logic.getParameterNode().transform)

    def test_sceneClosedAfterLoading(self) -> None:
        """A closed scene leaves an empty panel and no error."""
        self._need("gdcm", "skimage")
        self.ui.sampleButton.click()
        slicer.mrmlScene.Clear(False)
        self.widget.enter()
        self.assertFalse(self.ui.registerButton.enabled)
        self.assertIsNone(self.ui.modelSelector.currentNode())

    def test_nodeDeletedWhileSelected(self) -> None:
        """The panel says that the X-ray is missing."""
        self._need("gdcm", "skimage")
        self.ui.sampleButton.click()
        for selector in (self.ui.secondXraySelector, self.ui.xraySelector):
            slicer.mrmlScene.RemoveNode(selector.currentNode())
        self.assertFalse(self.ui.registerButton.enabled)
        self.assertIn("X-ray", self.ui.registrationMessageLabel.text)

    def _needNetworks(self) -> None:
        self._need(*NEEDED, "gdcm")

    def _need(self, *packages: str) -> None:
        missing = [package for package in packages if importlib.util.find_spec(package) is None]
        if missing:
            self.skipTest(f"needs {', '.join(missing)}")


if __name__ == "__main__":
    unittest.main()
