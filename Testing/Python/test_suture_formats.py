"""Labels as files, and frames from all kinds of files."""

import json

import numpy as np
import pytest
from PIL import Image
from suture_frames import drawn_frame
from SutureDetectionLib.evaluation.folds import surgery_folds
from SutureDetectionLib.evaluation.own_labels import read_labelled_frames
from SutureDetectionLib.formats.adaptor import (
    FrameKey,
    find_frames,
    read_labels,
    read_split,
    split_labels,
    split_text,
    top_bottom_content,
)
from SutureDetectionLib.formats.labelme import labelme_content, read_labelme
from SutureDetectionLib.formats.labels import Labels
from SutureDetectionLib.formats.mono import mono_content, read_mono
from SutureDetectionLib.inputs.frame import Frame, Problem
from SutureDetectionLib.inputs.opening import open_source, split_eyes
from VesselRegistrationLib.errors import UserError

LABELS = Labels.of_points(np.array([[10.2, 20.7], [30.0, 22.5], [99.5, 0.0]]), np.array([0, 1, -1]),
                          np.array([4, 4, -1]))


def write(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))
    return path


def test_labelme_is_read_as_it_was_written(tmp_path) -> None:
    path = write(tmp_path / "a.json", labelme_content(LABELS, "a.png", (60, 120, 3)))
    back = read_labelme(path, (60, 120, 3))
    np.testing.assert_allclose(back.points, LABELS.points)
    assert back.kinds.tolist() == [0, 1, -1] and back.partners.tolist() == [1, 0, -1]
    first = json.loads(path.read_text())["shapes"][0]
    assert first["points"] == [[10.7, 21.2]] and first["shape_type"] == "point"  # counted from the pixel's corner
    nothing = write(tmp_path / "b.json", labelme_content(Labels.of_points(np.zeros((0, 2))), "b.png", (60, 120)))
    assert json.loads(nothing.read_text())["shapes"][0]["label"] == "None"
    assert len(read_labelme(nothing).points) == 0


def broken(**changes):
    return {**labelme_content(LABELS, "a.png", (60, 120)), **changes}


@pytest.mark.parametrize(("content", "words"), [
    (broken(imageHeight=61), "of an image of 120 x 61"), (broken(shapes=[{"label": "x"}]), "no complete labelme file"),
    (broken(shapes=[{"label": "x", "points": [[130, 5]], "shape_type": "point"}]), "outside the image"),
    (broken(shapes=[{"label": "x", "points": [[1, 5], [3, 4]], "shape_type": "line"}]), "holds a line"),
    ([], "holds no labels")])
def test_labels_that_do_not_fit_are_refused_in_one_sentence(tmp_path, content, words: str) -> None:
    with pytest.raises(UserError, match=words):
        read_labelme(write(tmp_path / "a.json", content), (60, 120, 3))


def test_the_challenge_json_is_read_as_it_was_written(tmp_path) -> None:
    path = write(tmp_path / "a.json", mono_content(LABELS.points, (60, 120)))
    np.testing.assert_allclose(read_mono(path, (60, 120)).points, LABELS.points)
    assert json.loads(path.read_text())["points"][0] == {"x": 10.7, "y": 21.2}
    with pytest.raises(UserError, match="give the labels of this image"):
        read_mono(path, (61, 120))


def test_adaptor_labels_are_parted_between_the_eyes(tmp_path) -> None:
    left, right = np.array([[10.0, 20.0], [50.0, 5.0]]), np.array([[8.0, 21.0], [90.0, 59.0]])
    content = top_bottom_content(left, right, np.array([[0, 0]]), "0.png", (60, 120, 3))
    assert [shape["shape_type"] for shape in content["shapes"]] == ["line", "point", "point"]
    path = write(tmp_path / "op1/video1/point_labels/000003.json", content)
    first, second = split_labels(path, (60, 120, 3))
    np.testing.assert_allclose(first.points, left)
    np.testing.assert_allclose(second.points, right)
    # The paper shrinks eyes of 1920 x 540, recorded at half height, to 512 x 288.
    tall = write(tmp_path / "x.json", {**content, "imageWidth": 240})
    squeezed, _ = split_labels(tall, (288, 576, 3))
    np.testing.assert_allclose(squeezed.points[0], [10.5 * 576 / 240 - 0.5, 20.5 * 288 / 60 - 0.5])
    for folder in ("image_02", "image_03"):
        (tmp_path / "op1/video1" / folder).mkdir()
        Image.fromarray(np.full((60, 120, 3), 90, np.uint8)).save(tmp_path / f"op1/video1/{folder}/000003.png")
    keys = find_frames(tmp_path)
    assert keys == [FrameKey("op1/video1", 3, "l"), FrameKey("op1/video1", 3, "r")]
    np.testing.assert_allclose(read_labels(tmp_path, keys[1], (60, 120, 3)).points, right)
    frames, problems = read_labelled_frames(tmp_path)
    assert len(frames) == 2 and not problems
    with pytest.raises(UserError, match="do not fit"):
        split_labels(path, (60, 100, 3))


def test_split_files_are_read_as_they_were_written(tmp_path) -> None:
    keys = [FrameKey("op1/v1", 3, "l"), FrameKey("op2/v7", 12, "r")]
    path = tmp_path / "split.txt"
    path.write_text(split_text(keys))
    assert path.read_text() == "op1/v1 3 l\nop2/v7 12 r\n"
    assert read_split(path) == keys and keys[1].surgery == "op2"
    path.write_text("op1/v1 three l\n")
    with pytest.raises(UserError, match="Line 1"):
        read_split(path)


def test_no_surgery_is_in_two_folds() -> None:
    surgeries = ["a"] * 5 + ["b"] * 3 + ["c"] * 3 + ["d"] * 2 + ["e"]
    folds = surgery_folds(surgeries, 3)
    assert sorted(index for fold in folds for index in fold) == list(range(14))
    of_fold = [{surgeries[index] for index in fold} for fold in folds]
    assert not (of_fold[0] & of_fold[1] or of_fold[1] & of_fold[2] or of_fold[0] & of_fold[2])
    assert max(map(len, folds)) - min(map(len, folds)) <= 1
    with pytest.raises(UserError, match="cannot be split"):
        surgery_folds(surgeries, 6)


def test_a_folder_goes_on_past_what_cannot_be_used(tmp_path) -> None:
    image = drawn_frame(1)[0]
    Image.fromarray(image).save(tmp_path / "frame2.png")
    Image.fromarray(image).save(tmp_path / "frame10.jpg")
    Image.fromarray(image[..., 0]).save(tmp_path / "frame11.png")
    Image.fromarray(image[..., 0].astype(np.uint16) * 256).save(tmp_path / "frame12.tif")
    Image.fromarray(image[:-2]).save(tmp_path / "frame13.png")
    (tmp_path / "frame14.png").write_bytes((tmp_path / "frame2.png").read_bytes()[:800])
    (tmp_path / "notes.txt").write_text("not a frame")
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    source = open_source(tmp_path)
    items = list(source.frames())
    assert source.count == 6 and not source.follows
    assert [item.name for item in items if isinstance(item, Frame)] == ["frame2.png", "frame10.jpg"]
    reasons = [item.reason for item in items if isinstance(item, Problem)]
    expected = ("is gray", "more than 8 bits", "160 x 94 pixels", "cannot be read")
    for reason, words in zip(reasons, expected, strict=True):
        assert words in reason and reason.count(". ") == 0 and reason.endswith(".")
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


@pytest.mark.parametrize("name", ["nothing", "empty", "x.docx"])
def test_sources_that_are_none_are_refused(tmp_path, name: str) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "x.docx").write_bytes(b"1")
    with pytest.raises(UserError):
        open_source(tmp_path / name)


def write_dicom(path, pixels, photometric="RGB", bits=8):
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian, MultiFrameTrueColorSecondaryCaptureImageStorage, generate_uid

    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.file_meta.MediaStorageSOPClassUID = MultiFrameTrueColorSecondaryCaptureImageStorage
    dataset.SOPClassUID = MultiFrameTrueColorSecondaryCaptureImageStorage
    dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = (3 if photometric == "RGB" else 1), photometric
    dataset.NumberOfFrames, dataset.Rows, dataset.Columns = pixels.shape[:3]
    dataset.BitsAllocated = dataset.BitsStored = bits
    dataset.HighBit, dataset.PixelRepresentation = bits - 1, 0
    if photometric == "RGB":
        dataset.PlanarConfiguration = 0
    dataset.FrameTime = "40"
    dataset.PixelData = pixels.tobytes()
    dataset.save_as(path, enforce_file_format=True)


def test_dicom_recordings_are_read_frame_by_frame(tmp_path) -> None:
    pixels = np.stack([drawn_frame(seed)[0] for seed in range(3)])
    write_dicom(tmp_path / "a.dcm", pixels)
    source = open_source(tmp_path / "a.dcm")
    assert (source.count, source.rate, source.follows) == (3, 25.0, True)
    for item, expected in zip(source.frames(), pixels, strict=True):
        np.testing.assert_array_equal(item.image, expected)
    write_dicom(tmp_path / "gray.dcm", pixels[..., 0], "MONOCHROME2")
    with pytest.raises(UserError, match="is gray"):
        open_source(tmp_path / "gray.dcm")
    content = (tmp_path / "a.dcm").read_bytes()
    (tmp_path / "cut.dcm").write_bytes(content[:-60000])
    items = list(open_source(tmp_path / "cut.dcm").frames())
    assert isinstance(items[-1], Problem) and "cut short" in items[-1].reason
    (tmp_path / "none.dcm").write_bytes(b"hello")
    with pytest.raises(UserError, match="not a DICOM file"):
        open_source(tmp_path / "none.dcm")


def test_videos_are_read_and_a_cut_one_says_so(tmp_path) -> None:
    pytest.importorskip("av")
    from SutureDetectionLib.inputs.video import write_video

    images = [drawn_frame(seed)[0] for seed in range(30)]
    write_video(tmp_path / "a.mp4", images, 25.0)
    source = open_source(tmp_path / "a.mp4")
    frames = list(source.frames())
    assert len(frames) == source.count == 30 and source.rate == 25.0 and source.follows
    assert np.abs(frames[7].image.astype(int) - images[7]).mean() < 12
    (tmp_path / "bad.mp4").write_bytes((tmp_path / "a.mp4").read_bytes()[:3000])
    with pytest.raises(UserError, match="cannot be read as a video"):
        open_source(tmp_path / "bad.mp4")


@pytest.mark.parametrize(("layout", "shape"), [("top-bottom", (61, 40, 3)), ("side-by-side", (60, 41, 3))])
def test_eyes_of_an_odd_size_cannot_be_parted(layout: str, shape: tuple[int, ...]) -> None:
    with pytest.raises(UserError, match="cannot be halved"):
        split_eyes(np.zeros(shape, np.uint8), layout)


def test_eyes_are_parted_left_first() -> None:
    image = np.arange(24, dtype=np.uint8).reshape(4, 2, 3)
    np.testing.assert_array_equal(split_eyes(image, "top-bottom")["left"], image[:2])
    np.testing.assert_array_equal(split_eyes(image, "side-by-side")["right"], image[:, 1:])
    assert list(split_eyes(image, "mono")) == [""]
