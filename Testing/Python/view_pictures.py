"""What the views of a test draw and write, and where in a picture something is found."""

import numpy as np
import vtk
from scipy import ndimage
from VesselRegistrationLib.scene.viewLayout import CARM_VIEW_NAME, XRAY_VIEW_NAMES


def carm_view(layout):
    """The view from the C-arm."""
    return layout.threeDWidget(CARM_VIEW_NAME).threeDView()


def slice_view(layout, number=0):
    """The slice view of X-ray 0 or 1."""
    return layout.sliceWidget(XRAY_VIEW_NAMES[number]).sliceView()


def green_blobs(picture):
    """Centres (N, 2) as (col, row) of the green balls in a picture."""
    red, green, blue = picture.astype(int).transpose(2, 0, 1)
    return _blobs((green > 120) & (green - red > 60) & (green - blue > 60))


def bright_blobs(picture):
    """Centres (N, 2) as (col, row) of the white squares in a picture."""
    return _blobs(picture.min(axis=2) > 160)


def distances(points, found):
    """The distance of each point (N, 2) to the nearest one that was found, pixels."""
    assert len(found) >= len(points), f"{len(found)} of {len(points)} points were drawn."
    return np.linalg.norm(points[:, None] - found[None], axis=2).min(axis=1)


def farthest_difference(drawn, expected):
    """How many pixels deep the two areas (rows, columns) bool differ at most."""
    far = np.where(drawn, ndimage.distance_transform_edt(~expected), ndimage.distance_transform_edt(expected))
    return far[drawn != expected].max(initial=0.0)


def overlap(drawn, expected):
    """Dice of two areas (rows, columns) bool."""
    return 2 * (drawn & expected).sum() / (drawn.sum() + expected.sum())


def show_text(layout, visible):
    """Show or hide the words of the views: they would count as bright dots."""
    for view in (carm_view(layout), slice_view(layout)):
        for text in _texts(view):
            text.SetVisibility(visible)


def corner_words(view):
    """All that is written into a view."""
    return "\n".join(text.GetText(place) or "" for text in _texts(view) for place in range(8))


def _texts(view):
    props = view.renderWindow().GetRenderers().GetFirstRenderer().GetViewProps()
    return [prop for prop in props if isinstance(prop, vtk.vtkCornerAnnotation)]


def _blobs(inside):
    labels, count = ndimage.label(inside)
    centres = np.array(ndimage.center_of_mass(inside, labels, range(1, count + 1))).reshape(-1, 2)
    sizes = ndimage.sum(inside, labels, range(1, count + 1))
    return centres[sizes >= 4][:, ::-1]
