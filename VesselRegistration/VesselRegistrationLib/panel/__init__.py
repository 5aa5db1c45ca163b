"""What the panel of the module needs beside its widgets: packages, texts, slice view. Runs in Slicer only."""
