"""Labels and detections as files: labelme JSON, the AdaptOR folders and split files, the challenge's JSON, CSV."""
