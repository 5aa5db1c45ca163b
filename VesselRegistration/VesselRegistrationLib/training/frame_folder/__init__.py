"""The user's own annotated frames: pictures with masks, in the layouts of common annotation tools."""
