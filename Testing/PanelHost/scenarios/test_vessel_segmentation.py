"""Vessels and devices found in the X-ray, and what the network looked at.

Run by Testing/Python/test_panel.py in a process of its own.
"""

from __future__ import annotations

import numpy as np
import slicer
from panel_user import said


def testVesselsFoundThresholdedAndEdited(panel, host):
    """The mask of step 3 follows the threshold, can be edited, and is the one that is registered."""
    panel.ui.sampleButton.click()
    panel.ui.findVesselsButton.click()
    xray = panel.session.node.xray
    mask = xray.GetNodeReference("HybridOR.mask")
    half = int(slicer.util.arrayFromVolume(mask).sum())
    assert half > 1000
    assert panel.ui.maskCheckBox.checked
    panel.ui.thresholdSlider.value = 0.9
    assert 0 < slicer.util.arrayFromVolume(mask).sum() < half
    panel.ui.editMaskButton.click()
    assert host.notice.modulesOpened == ["SegmentEditor"]
    edited = slicer.modules.segmenteditor.segmentationNode
    assert slicer.modules.segmenteditor.sourceVolumeNode is xray
    assert panel.ui.thresholdSlider.enabled is False
    edited.GetSegmentation().RemoveSegment(edited.GetSegmentation().GetNthSegmentID(0))
    edited.GetSegmentation().AddEmptySegment("nothing", "nothing")
    panel.ui.registerButton.click()
    assert "covers only 0.00 %" in said(panel.ui.registrationMessageLabel)
    panel.ui.dropEditsButton.click()
    assert panel.ui.thresholdSlider.enabled is True
    assert 0 < slicer.util.arrayFromVolume(mask).sum() < half
    panel.ui.frameSpinBox.value = panel.ui.frameSpinBox.value - 1
    assert "finds the vessels itself" in said(panel.ui.segmentationMessageLabel)


def testGradCamShown(panel, host):
    """What the network looked at lies over the X-ray while the box is ticked, and the model afterwards."""
    panel.ui.sampleButton.click()
    assert panel.ui.gradCamCheckBox.enabled is False
    panel.ui.findVesselsButton.click()
    panel.ui.gradCamCheckBox.checked = True
    heat = panel.session.node.xray.GetNodeReference("HybridOR.gradCam")
    values = slicer.util.arrayFromVolume(heat)
    assert values.max() > 0.8
    assert values.min() == 0.0
    composite = host.application.layoutManager().sliceWidget("HybridORXray1").sliceLogic().GetSliceCompositeNode()
    assert composite.GetForegroundVolumeID() == heat.GetID()
    panel.ui.gradCamCheckBox.checked = False
    assert composite.GetForegroundVolumeID() != heat.GetID()


def testDevicesShownAndHidden(panel, host):
    """A curve with its tip lies where the device is, in the view of its own X-ray."""
    from VesselRegistrationLib.catheters.tracing import trace_devices
    from VesselRegistrationLib.scene.deviceBridge import devicesOf, showDevices
    from VesselRegistrationLib.scene.volumeBridge import ijkToRas

    panel.ui.sampleButton.click()
    xray = panel.session.node.xray
    drawn = np.zeros((512, 512), np.float32)
    drawn[200:512, 300:304] = 1.0
    showDevices(xray, trace_devices(drawn))
    panel.session.refresh()
    curve, tip = devicesOf(xray)
    pixel = np.linalg.inv(ijkToRas(xray)) @ [*tip.GetNthControlPointPositionVector(0), 1.0]
    np.testing.assert_allclose(pixel[:2], [301.5, 200.0], atol=3.0)
    assert curve.GetNumberOfControlPoints() > 5
    assert panel.ui.devicesCheckBox.isVisibleTo(panel.ui.segmentationFrame) is True
    panel.ui.devicesCheckBox.checked = False
    assert curve.GetDisplayNode().GetVisibility() == 0


def testDevicesOfTheSampleCaseFound(panel, host):
    """One click with the shipped network shows the wire that goes up the sample's left leg."""
    from VesselRegistrationLib.scene.deviceBridge import devicesOf

    panel.ui.sampleButton.click()
    assert panel.ui.findDevicesButton.enabled is True
    panel.ui.findDevicesButton.click()
    curves = [node for node in devicesOf(panel.session.node.xray) if node.IsA("vtkMRMLMarkupsCurveNode")]
    assert 1 <= len(curves) <= 4
    assert max(curve.GetCurveLengthWorld() for curve in curves) > 30.0


def testOwnNetworksChosen(panel, host, tmp_path):
    """Exported networks named in step 3 are used for masks and devices; what is no network is said in the panel."""
    from VesselRegistrationLib.networks.weights import load_card, load_network, save_weights

    save_weights(load_network(load_card("catheter")), load_card("catheter"), tmp_path)
    own = str(tmp_path / "catheter.safetensors")
    panel.ui.sampleButton.click()
    panel.ui.vesselNetworkPathLineEdit.currentPath = own
    assert panel.session.node.vesselNetwork == own
    panel.ui.findVesselsButton.click()
    assert slicer.util.arrayFromVolume(panel.session.node.xray.GetNodeReference("HybridOR.mask")).sum() > 1000
    panel.ui.gradCamCheckBox.checked = True
    assert panel.session.node.xray.GetNodeReference("HybridOR.gradCam") is not None
    panel.ui.registerButton.click()
    record = panel.session.logic.resultOf(panel.session.node.transform)
    assert [entry["name"] for entry in record["weights"]] == ["catheter"]
    assert "your own" in record["views"][0]["mask_source"]
    panel.ui.catheterNetworkPathLineEdit.currentPath = str(tmp_path / "missing.json")
    panel.ui.findDevicesButton.click()
    assert "no model card" in said(panel.ui.segmentationMessageLabel)
    panel.session.node.catheterNetwork = ""
    assert panel.ui.catheterNetworkPathLineEdit.currentPath == ""
