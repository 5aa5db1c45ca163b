"""Pictures of detections, and the files of a result."""
