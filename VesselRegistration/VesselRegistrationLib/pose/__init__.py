"""Six degrees of freedom from vessel masks: perspective, rigid, any number of views, robust to bad masks.

Needs numpy and SciPy alone. World is RAS mm with the origin at the isocentre, as everywhere.
"""
