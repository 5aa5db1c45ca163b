"""What the panel of the module needs beside its widgets: one class per step. Runs in Slicer only."""
