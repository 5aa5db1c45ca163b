"""Changes of an X-ray's look leave its truth where it is."""

import torch
from VesselRegistrationLib.training.appearance import change_appearance, look_closer

COUNT, SIZE = 64, 64


def changed() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """Many copies of a bright bar on a dark ground, whose left edge is not usable; the picture before, and after."""
    image = torch.full((COUNT, 1, SIZE, SIZE), 0.3)
    target = torch.zeros_like(image)
    target[:, :, 20:40, 24:44] = 1.0
    image = torch.where(target > 0, 0.7, image)
    usable = torch.ones_like(image)
    usable[..., :4] = 0.0
    generators = [torch.Generator().manual_seed(seed) for seed in range(COUNT)]
    return (image, *change_appearance(image, target, usable, generators))


def test_target_stays_apart_from_its_surroundings_by_brightness() -> None:
    _, image, target, usable = changed()
    for one, mask, seen in zip(image, target, usable, strict=True):
        inside, ring = (mask > 0) & (seen > 0), (mask == 0) & (seen > 0)
        if inside.sum() < 20 or ring.sum() < 20:
            continue
        near = torch.nn.functional.max_pool2d(mask[None], 5, 1, 2)[0] > 0
        around = ring & near
        if around.sum() > 20:
            assert (one[inside].median() - one[around].median()).abs() > 0.1


def test_every_kind_of_change_occurs_and_some_pictures_stay_whole() -> None:
    before, image, target, _ = changed()
    areas = target.sum(dim=(1, 2, 3))
    whole = 20 * 20
    assert (areas == whole).sum() > COUNT / 2
    inverted = [float(one[mask > 0].median() < one[mask == 0].median())
                for one, mask in zip(image, target, strict=True) if mask.sum() == whole]
    assert 0 < sum(inverted) < len(inverted) / 2
    corners = torch.stack([image[:, 0, 0, -1], image[:, 0, -1, -1]])
    assert ((corners == 0.0) | (corners == 1.0)).any()
    assert image.shape == before.shape and image.min() >= 0.0 and image.max() <= 1.0


def test_the_same_generators_change_the_same_way() -> None:
    for one, other in zip(changed(), changed(), strict=True):
        assert torch.equal(one, other)


def closer(size: int, seed: int = 0) -> list[tuple[torch.Tensor, torch.Tensor, torch.Tensor]]:
    """What is seen of 64 samples of a ramp, the value of a pixel tells where it is; its right half is the target."""
    column = torch.linspace(0.0, 1.0, size).expand(COUNT, 1, size, size)
    usable = torch.ones(COUNT, 1, size, size)
    usable[..., : size // 8, :] = 0.0
    generators = [torch.Generator().manual_seed(seed + number) for number in range(COUNT)]
    return list(zip(*look_closer(column.clone(), (column > 0.5).float(), usable, generators), strict=True))


def test_a_large_sample_is_seen_as_a_whole_or_through_a_sharp_window() -> None:
    spans, dark = [], []
    for image, target, usable in closer(512):
        assert image.shape == target.shape == usable.shape == (1, 256, 256)
        assert torch.equal(target > 0, image > 0.5)
        steps = image[0, 0].diff()
        spans.append(round(float(steps.median()) * 511))
        dark.append(int((usable[0, :, 0] == 0).sum()))
    assert set(spans) == {1, 2}
    assert 0.4 * COUNT < spans.count(1) < 0.8 * COUNT
    assert {count for count, span in zip(dark, spans, strict=True) if span == 2} == {32}
    assert len({count for count, span in zip(dark, spans, strict=True) if span == 1}) > 3


def test_a_small_sample_keeps_its_size_and_is_sometimes_enlarged() -> None:
    widths = [float(image[0, 0, -1] - image[0, 0, 0]) for image, _, _ in closer(64)]
    assert all(image.shape == (1, 64, 64) for image, _, _ in closer(64))
    enlarged = [width for width in widths if width < 0.6]
    assert 0 < len(enlarged) < COUNT / 2
    assert all(abs(width - 1.0) < 0.01 for width in widths if width not in enlarged)
