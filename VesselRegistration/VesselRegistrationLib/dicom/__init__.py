"""X-ray angiography DICOM: one immutable value per frame, and a report of what was read, missing and cross-checked."""
