"""The MRML bridge: values in, nodes out; the only package here that knows slicer."""
