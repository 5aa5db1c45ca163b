"""A registration as DICOM objects of the patient's study: Spatial Registration, Segmentation, Secondary Capture."""
