"""What the views really draw, offscreen: places of rendered pixels against projected points."""

from __future__ import annotations

import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage

sys.path[:0] = [str(Path(__file__).parents[3] / folder) for folder in ("Testing/Python", "VesselRegistration")]

from panelhost.views import LayoutManager  # noqa: E402
from VesselRegistrationLib.geometry.carm import CArmView  # noqa: E402
from VesselRegistrationLib.projection.rasterizer import silhouette  # noqa: E402
from VesselRegistrationLib.scene.guidanceViews import GuidanceViews, OverlayStyle  # noqa: E402
from VesselRegistrationLib.scene.viewLayout import ROOM_VIEW_NAME, XRAY_VIEW_NAMES  # noqa: E402
from view_cases import (  # noqa: E402
    add_ball,
    along_the_tube,
    frame_of,
    large_model,
    middle_of_the_tube,
    new_scene,
    pose_of,
    set_pose,
    tracked,
    view_scene,
)
from view_pictures import (  # noqa: E402
    bright_blobs,
    carm_view,
    corner_words,
    distances,
    farthest_difference,
    green_blobs,
    overlap,
    show_text,
    slice_view,
)

SQUARE = CArmView(30.0, 20.0, 1100.0, 760.0, 512, 512, 0.6, 0.6)
VIEWS = {
    "frontal": replace(SQUARE, primary_angle_deg=0.0, secondary_angle_deg=0.0),
    "LAO 30 / CRA 20": SQUARE,
    "RAO 45 / CAU 25, turned detector": replace(SQUARE, primary_angle_deg=-45.0, secondary_angle_deg=-25.0,
                                                detector_rotation_deg=7.0),
    "LAO 90": replace(SQUARE, primary_angle_deg=90.0, secondary_angle_deg=0.0),
    "central ray beside the middle": replace(SQUARE, principal_point=(170.0, 330.0)),
    "table moved": replace(SQUARE, table_shift_mm=(15.0, -10.0, 20.0)),
    "flipped": replace(SQUARE, horizontal_flip=True, principal_point=(300.0, 200.0)),
    "quarter turn": replace(SQUARE, image_rotation_deg=90),
}


@pytest.fixture
def errors(monkeypatch):
    """A test must end without an exception in an observer."""
    found: list[str] = []
    monkeypatch.setattr(sys, "excepthook", lambda kind, error, trace: found.append(repr(error)))
    yield found
    assert found == []


@pytest.fixture
def scene(errors):
    """A scene as Slicer sets it up."""
    scene, logics = new_scene()
    scene.logics = logics
    return scene


@pytest.fixture
def layout(scene):
    """The views of the scene."""
    manager = LayoutManager(scene, scene.logics[-1])
    yield manager
    manager.close()


@pytest.fixture
def views(scene, layout):
    """The module's views."""
    views = GuidanceViews(scene, layout)
    yield views
    views.close()


# The view from the C-arm


@pytest.mark.parametrize("name", VIEWS)
def testModelPointsAreDrawnOnTheirPixels(scene, layout, views, name):
    case = view_scene(scene, VIEWS[name])
    points = along_the_tube(case.model, 6)
    views.show([case.xray], case.modelNode, case.transform)
    for point in points:
        add_ball(scene, point, 1.5, case.transform)
    carm_view(layout).resize(512, 512)
    pixels, _ = case.view.project(points @ case.pose[:3, :3].T + case.pose[:3, 3])
    visible = ((pixels > 8) & (pixels < 503)).all(axis=1)
    assert visible.sum() >= 4
    views.setStyle(OverlayStyle.NONE, 0.0)
    found = green_blobs(carm_view(layout).picture())
    assert distances(pixels[visible], found).max() < 0.5


@pytest.mark.parametrize("name", VIEWS)
def testXrayLiesBehindTheModelPixelByPixel(scene, layout, views, name):
    dots = np.array([[40, 40], [470, 60], [256, 300], [90, 450], [430, 480]])
    case = view_scene(scene, VIEWS[name], dots)
    views.show([case.xray])
    carm_view(layout).resize(512, 512)
    show_text(layout, False)
    assert distances(dots, bright_blobs(carm_view(layout).picture())).max() < 0.3
    # Slicer's slice views sample a pixel at its corner: half a pixel in each direction.
    assert distances(dots, bright_blobs(slice_view(layout).picture())).max() < 0.8


@pytest.mark.parametrize("name", ["LAO 30 / CRA 20", "central ray beside the middle", "flipped", "quarter turn"])
def testTheDrawnModelCoversItsSilhouette(scene, layout, views, name):
    case = view_scene(scene, VIEWS[name])
    views.show([case.xray], case.modelNode, case.transform)
    views.setStyle(OverlayStyle.FILL, 1.0)
    show_text(layout, False)
    expected = silhouette(case.model, case.view.projection_matrix @ case.pose, (512, 512))
    for picture in (carm_view(layout).picture(), slice_view(layout).picture()):
        drawn = picture.max(axis=2) > 20
        assert farthest_difference(drawn, expected) <= 1.0
        assert drawn.sum() > 5000


def testPixelsThatAreNotSquareKeepTheirShapeInMm(scene, layout, views):
    # 204.8 x 240 mm: a view of 512 x 600 shows a column on a pixel and a row on one and a half.
    view = replace(SQUARE, rows=400, columns=512, row_spacing_mm=0.6, column_spacing_mm=0.4,
                   principal_point=(200.0, 260.0))
    dots = np.array([[40, 40], [470, 60], [256, 200], [90, 350]])
    case = view_scene(scene, view, dots)
    points = along_the_tube(case.model, 4)
    views.show([case.xray], case.modelNode, case.transform)
    views.setStyle(OverlayStyle.NONE, 0.0)
    for point in points:
        add_ball(scene, point, 1.5, case.transform)
    show_text(layout, False)
    pixels, _ = view.project(points @ case.pose[:3, :3].T + case.pose[:3, 3])
    pixels = pixels[((pixels > 8) & (pixels < (503, 391))).all(axis=1)]
    assert len(pixels) >= 3
    for size, scale, offset in (((512, 600), (1.0, 1.5), (0.0, 0.25)), ((712, 600), (1.0, 1.5), (100.0, 0.25)),
                                ((512, 700), (1.0, 1.5), (0.0, 50.25))):
        carm_view(layout).resize(*size)
        picture = carm_view(layout).picture()
        assert distances(pixels * scale + offset, green_blobs(picture)).max() < 0.6
        assert distances(dots * scale + offset, bright_blobs(picture)).max() < 0.6


def testTheSideTowardsTheSourceIsSeen(scene, layout, views):
    for view in (SQUARE, VIEWS["flipped"]):
        case = view_scene(scene, view)
        views.show([case.xray], case.modelNode, case.transform)
        views.setStyle(OverlayStyle.FILL, 1.0)  # what is translucent leaves no depth behind
        carm_view(layout).picture()
        middle = middle_of_the_tube(case)
        (col, row), depth = (values[0] for values in view.project(middle[None]))
        window = carm_view(layout).renderWindow()
        renderer = window.GetRenderers().GetFirstRenderer()
        x, y = round(col), 511 - round(row)
        renderer.SetDisplayPoint(x, y, window.GetZbufferDataAtPoint(x, y))
        renderer.DisplayToWorld()
        seen = np.array(renderer.GetWorldPoint()[:3]) / renderer.GetWorldPoint()[3]
        _, seenDepth = view.project(seen[None])
        assert 3.0 < depth - seenDepth[0] < 25.0  # the tube's radius is 11 mm
        scene.RemoveNode(case.xray)


def testDraggingDoesNotTakeTheCameraOffTheSource(scene, layout, views):
    case = view_scene(scene, SQUARE)
    views.show([case.xray], case.modelNode, case.transform)
    before = carm_view(layout).picture()
    camera = carm_view(layout).renderWindow().GetRenderers().GetFirstRenderer().GetActiveCamera()
    camera.Azimuth(25)
    camera.Dolly(1.5)
    camera.SetClippingRange(20.0, 1650.0)
    np.testing.assert_array_equal(carm_view(layout).picture(), before)


def testAPictureDoesNotAskForTheNextOne(scene, layout, views):
    case = view_scene(scene, SQUARE)
    views.show([case.xray], case.modelNode, case.transform)
    carm_view(layout).picture()
    camera = carm_view(layout).renderWindow().GetRenderers().GetFirstRenderer().GetActiveCamera()
    changes = []
    camera.AddObserver("ModifiedEvent", lambda *_: changes.append(1))
    for _ in range(3):
        carm_view(layout).renderWindow().Render()
    assert changes == []


def testAnglesThatTheUserGivesTurnTheView(scene, layout, views):
    from VesselRegistrationLib.scene.volumeBridge import giveGeometry

    case = view_scene(scene, SQUARE)
    views.show([case.xray], case.modelNode, case.transform)
    giveGeometry(case.xray, primary_angle_deg=-10.0, secondary_angle_deg=5.0)
    turned = replace(SQUARE, primary_angle_deg=-10.0, secondary_angle_deg=5.0)
    camera = carm_view(layout).renderWindow().GetRenderers().GetFirstRenderer().GetActiveCamera()
    carm_view(layout).picture()
    np.testing.assert_allclose(camera.GetPosition(), turned.source, atol=1e-9)
    assert "RAO 10 / CRA 5" in corner_words(carm_view(layout))
    assert "RAO 10 / CRA 5" in corner_words(slice_view(layout))


def testTheOtherXrayCanBeLookedFrom(scene, layout, views):
    case = view_scene(scene, SQUARE)
    other = view_scene(scene, VIEWS["LAO 90"])
    views.show([case.xray, other.xray], case.modelNode, case.transform)
    views.lookFrom(1)
    camera = carm_view(layout).renderWindow().GetRenderers().GetFirstRenderer().GetActiveCamera()
    np.testing.assert_allclose(camera.GetPosition(), VIEWS["LAO 90"].source, atol=1e-9)
    assert "LAO 90 / CRA 0" in corner_words(carm_view(layout))
    assert "LAO 30 / CRA 20" in corner_words(slice_view(layout, 0))
    assert "LAO 90 / CRA 0" in corner_words(slice_view(layout, 1))


# The slice views


def testContourFollowsTheEdge(scene, layout, views):
    case = view_scene(scene, SQUARE)
    views.show([case.xray], case.modelNode, case.transform)
    views.setStyle(OverlayStyle.CONTOUR, 1.0)
    show_text(layout, False)
    drawn = slice_view(layout).picture().max(axis=2) > 20
    inside = silhouette(case.model, case.view.projection_matrix @ case.pose, (512, 512))
    edge = inside & ~ndimage.binary_erosion(inside)
    assert ndimage.distance_transform_edt(~drawn)[edge].max() <= 1.0
    assert ndimage.distance_transform_edt(~edge)[drawn].max() <= 5.0  # the line is some pixels wide
    assert drawn.sum() < 0.3 * inside.sum()


def testComparisonHasItsColours(scene, layout, views):
    from VesselRegistrationLib.scene.overlayNodes import MASK_LABEL, showLabelmap

    case = view_scene(scene, SQUARE)
    drawn = silhouette(case.model, case.view.projection_matrix @ case.pose, (512, 512))
    mask = np.roll(drawn, 12, axis=1)
    showLabelmap(case.xray, "mask", "mask", mask * MASK_LABEL)
    views.show([case.xray], case.modelNode, case.transform)
    views.setStyle(OverlayStyle.COMPARISON, 1.0)
    show_text(layout, False)
    picture = slice_view(layout).picture()
    for expected, color in ((drawn & mask, (255, 255, 0)), (drawn & ~mask, (255, 0, 255)),
                            (mask & ~drawn, (0, 255, 255))):
        assert expected.sum() > 500
        assert farthest_difference((picture == color).all(axis=2), expected) <= 1.0


def testShadedIsBrightestWhereTheModelIsThickest(scene, layout, views):
    case = view_scene(scene, SQUARE)
    views.show([case.xray], case.modelNode, case.transform)
    views.setStyle(OverlayStyle.SHADED, 1.0)
    show_text(layout, False)
    picture = slice_view(layout).picture().astype(int).sum(axis=2)
    inside = silhouette(case.model, case.view.projection_matrix @ case.pose, (512, 512))
    depth = ndimage.distance_transform_edt(inside)
    assert picture[~ndimage.binary_dilation(inside, iterations=2)].max() < 20
    assert picture[depth > 8].mean() > 1.3 * picture[(depth > 0) & (depth < 2)].mean()


def testEachSliceViewShowsItsOwnProjectedModel(scene, layout, views):
    case = view_scene(scene, SQUARE)
    other = view_scene(scene, VIEWS["LAO 90"])
    views.show([case.xray, other.xray], case.modelNode, case.transform)
    views.setStyle(OverlayStyle.FILL, 1.0)
    show_text(layout, False)
    for number, view in enumerate((SQUARE, VIEWS["LAO 90"])):
        picture = slice_view(layout, number).picture()
        orange = (picture[..., 0] > 200) & (picture[..., 2] < 100)
        expected = silhouette(case.model, view.projection_matrix @ case.pose, (512, 512))
        assert overlap(orange, expected) > 0.97


def testTheZoomOfTheUserStays(scene, layout, views):
    case = view_scene(scene, SQUARE)
    views.show([case.xray], case.modelNode, case.transform)
    node = layout.sliceWidget(XRAY_VIEW_NAMES[0]).mrmlSliceNode()
    width, height, depth = node.GetFieldOfView()
    node.SetFieldOfView(0.5 * width, 0.5 * height, depth)
    views.show([case.xray], case.modelNode, case.transform)
    assert node.GetFieldOfView()[0] == pytest.approx(0.5 * width)


# Motion


def testAMovedTransformMovesTheModelEverywhere(scene, layout, views):
    case = view_scene(scene, SQUARE)
    views.show([case.xray], case.modelNode, case.transform)
    views.setStyle(OverlayStyle.FILL, 1.0)
    show_text(layout, False)
    moved = pose_of(case.model, (30.0, 5.0, -20.0))
    set_pose(case.transform, moved)
    expected = silhouette(case.model, case.view.projection_matrix @ moved, (512, 512))
    for settled in (False, True):
        for picture in (carm_view(layout).picture(), slice_view(layout).picture()):
            drawn = picture.max(axis=2) > 20
            assert overlap(drawn, expected) > 0.97, settled
        views.settle()


def testFifteenUpdatesASecondWithALargeModel(scene, layout, views):
    case = view_scene(scene, replace(SQUARE, rows=1024, columns=1024, row_spacing_mm=0.3, column_spacing_mm=0.3),
                      model=large_model())
    assert len(case.model.triangles) > 200_000
    views.show([case.xray], case.modelNode, case.transform)
    slice_view(layout).picture()
    seconds = []
    for step in range(12):
        pose = pose_of(case.model, (6.0 + step, -8.0, 12.0))
        start = time.process_time()
        set_pose(case.transform, pose)
        slice_view(layout).renderWindow().Render()
        seconds.append(time.process_time() - start)
    # The time of the processor: the machine may be busy with other things.
    print(f"updates per second: best {1 / min(seconds):.0f}, median {1 / np.median(seconds):.0f}")
    assert min(seconds) < 1 / 15


# The room


def testTheRoomShowsTheCArmAboutTheModel(scene, layout, views):
    case = view_scene(scene, SQUARE)
    views.show([case.xray], case.modelNode, case.transform)
    view = layout.threeDWidget(ROOM_VIEW_NAME).threeDView()
    renderer = view.renderWindow().GetRenderers().GetFirstRenderer()
    picture = view.picture().astype(int)
    assert (picture[:, 2, 2] - picture[:, 2, 0]).min() > 30
    for name, place in (("source", case.view.source - 54 * case.view.beam_direction),
                        ("model", middle_of_the_tube(case))):
        renderer.SetWorldPoint(*place, 1.0)
        renderer.WorldToDisplay()
        x, y, _ = renderer.GetDisplayPoint()
        red, _, blue = picture[511 - round(y), round(x)]
        assert blue - red < (0 if name == "model" else 20), name  # an orange model, a gray tube, a blue background


def testReplayMovesXrayAndModel(scene, layout, views):
    from VesselRegistrationLib.scene.poseSequence import addPoseSequence, addRunSequence
    from VesselRegistrationLib.scene.sequenceBridge import showItem

    dots = np.array([[60, 60], [300, 450], [450, 100]])
    case = view_scene(scene, SQUARE, dots[:1])
    poses = [pose_of(case.model, (6.0 + 12.0 * number, -8.0, 12.0)) for number in range(3)]
    addRunSequence(case.xray, [frame_of(SQUARE, dots[[number]], number, 3) for number in range(3)])
    addPoseSequence(case.xray, case.transform, tracked(poses))
    views.show([case.xray], case.modelNode, case.transform)
    views.setStyle(OverlayStyle.FILL, 1.0)
    for number in (2, 0, 1):
        showItem(case.xray, number)
        assert f"frame {number} (of 0 to 2)" in corner_words(slice_view(layout))
        show_text(layout, False)
        expected = silhouette(case.model, SQUARE.projection_matrix @ poses[number], (512, 512))
        for picture in (slice_view(layout).picture(), carm_view(layout).picture()):
            assert distances(dots[[number]], bright_blobs(picture)).max() < 0.8
            drawn = (picture.max(axis=2) > 20) & (picture[..., 0].astype(int) - picture[..., 2] > 20)
            assert overlap(drawn, expected) > 0.97
        show_text(layout, True)


def testAViewThatWasNotExposedSaysSo(scene, layout, views):
    from VesselRegistrationLib.scene.asIfView import showAsIf

    case = view_scene(scene, SQUARE)
    suggested = replace(SQUARE, primary_angle_deg=-30.0, secondary_angle_deg=0.0)
    views.show([case.xray, showAsIf(case.xray, suggested)], case.modelNode, case.transform)
    views.setStyle(OverlayStyle.FILL, 1.0)
    assert "RAO 30 / CRA 0" in corner_words(slice_view(layout, 1))
    assert "not exposed" in corner_words(slice_view(layout, 1))
    assert "not exposed" not in corner_words(slice_view(layout, 0))
    show_text(layout, False)
    drawn = slice_view(layout, 1).picture()[..., 0] > 200
    expected = silhouette(case.model, suggested.projection_matrix @ case.pose, (512, 512))
    assert overlap(drawn, expected) > 0.97


def testTheLayoutIsDrawnAsAWhole(scene, layout, views):
    case = view_scene(scene, SQUARE)
    views.show([case.xray], case.modelNode, case.transform)
    picture = layout.picture(1000, 600).astype(int)
    assert picture.shape == (600, 1000, 3)
    xray, room = picture[:, :600], picture[302:, 602:]
    assert ((xray[..., 0] - xray[..., 2]) > 40).sum() > 1000  # the model
    assert (room[..., 2] - room[..., 0] > 20).mean() > 0.5  # Slicer's blue background
