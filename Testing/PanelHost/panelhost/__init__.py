"""A host that runs the panels of scripted Slicer modules without Slicer, for tests.

Qt is PySide6, shown offscreen; the scene and its nodes are the real ones of slicer-core. A module file and its .ui file
load unmodified. A class, property, signal or function that the host does not implement raises; nothing is a silent
placeholder. A pass says that a panel's logic runs. It does not say that the panel runs in Slicer.

    from panelhost.host import Host

    host = Host()
    widget = host.openPanel(Path("VesselRegistration/VesselRegistration.py"))

Run it in a process of its own with QT_QPA_PLATFORM=offscreen: it installs the modules ``qt``, ``ctk`` and ``slicer.*``.
"""
