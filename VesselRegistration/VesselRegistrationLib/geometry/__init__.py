"""C-arm geometry in RAS millimetres and 0-based pixel centres."""
