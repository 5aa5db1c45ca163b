"""Pictures a clinician can read: overlay and comparison."""
