"""The simulated case that comes with the extension, in Slicer's Sample Data module."""

import slicer

from ..errors import UserError
from ..resources import resource_directory

CATEGORY = "HybridOR"
SAMPLE_NAME = "VesselRegistrationSampleCase"

_MODULE = "VesselRegistration"
_FILES = ("model.vtp", "view_0.dcm", "view_1.dcm")


def registerSampleData() -> None:
    """Offer the case in the Sample Data module; nothing is downloaded, its files are here already."""
    import SampleData

    resources = resource_directory()
    files = [resources / "SampleCase" / name for name in _FILES]
    SampleData.SampleDataLogic.registerCustomSampleDataSource(
        category=CATEGORY,
        sampleName=SAMPLE_NAME,
        uris=[file.as_uri() for file in files],
        fileNames=[f"{SAMPLE_NAME}_{name}" for name in _FILES],
        nodeNames=[None] * len(_FILES),
        loadFiles=[True] * len(_FILES),
        customDownloader=loadSampleData,
        thumbnailFileName=str(resources / "Icons" / f"{SAMPLE_NAME}.png"))


def loadSampleData(source: object = None) -> list:
    """Load the case as the panel does, so that the panel can show its other frames: the model and two X-rays."""
    from ..panel.dependencies import ensureReading

    try:
        ensureReading()
        model, xrays = slicer.util.getModuleLogic(_MODULE).loadSampleCase()
    except UserError as problem:
        slicer.util.errorDisplay(str(problem))
        return []
    return [model, *xrays]
