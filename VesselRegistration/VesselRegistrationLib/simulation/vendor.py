"""What a screenshot or an exported film has and a detector does not: display curves, inversion, text, borders."""

import numpy as np
from scipy.ndimage import gaussian_filter

from .detector import DARKEST
from .looks import Look
from .textures import resized

_TEXTS = ("LAO {a}", "RAO {a}", "CRAN {b}", "CAUD {b}", "FPS {c}", "{kv} kV", "{a}/{b}", "SID {sid}", "IM {c}/{d}",
          "FLUORO", "{c} mAs")


def undeclared_border(look: Look, shape: tuple[int, int]) -> np.ndarray:
    """What of the picture (rows, columns) bool is inside the black border that nobody tells the reader about."""
    rng = np.random.default_rng([look.scene_seed, 17])
    row, col = np.ogrid[: shape[0], : shape[1]]
    v, u = (row + 0.5) / shape[0] * 2 - 1, (col + 0.5) / shape[1] * 2 - 1
    if look.border == "circle":
        return (u - rng.normal(0, 0.02)) ** 2 + (v - rng.normal(0, 0.02)) ** 2 < rng.uniform(0.82, 1.05) ** 2
    if look.border == "bars":
        share = rng.uniform(0.7, 0.9)
        return np.broadcast_to(np.abs(u if rng.random() < 0.6 else v) < share, shape).copy()
    if look.border == "frame":
        low, high = -rng.uniform(0.75, 1.0, size=2), rng.uniform(0.75, 1.0, size=2)
        return (u > low[0]) & (u < high[0]) & (v > low[1]) & (v < high[1])
    return np.ones(shape, dtype=bool)


def displayed(attenuation: np.ndarray, usable: np.ndarray, look: Look) -> np.ndarray:
    """The attenuation (rows, columns) float32 that a reader takes from what a look shows; still large where dark."""
    rng = np.random.default_rng([look.scene_seed, 18])
    image = attenuation
    if look.tone != "none":
        image = _toned(image, usable, look.tone, rng)
    if look.border != "none":
        inside = undeclared_border(look, image.shape)
        image = np.where(inside, image, np.float32(DARKEST if not look.subtracted else image.max()))
    if look.inverted:
        image = np.float32(image[usable].min() + image[usable].max()) - image
    if look.text:
        low, high = np.quantile(image, [0.01, 0.99])
        image = np.where(_text(image.shape, rng), np.float32(low if rng.random() < 0.85 else high), image)
    return image.astype(np.float32)


def _toned(image: np.ndarray, usable: np.ndarray, tone: str, rng: np.random.Generator) -> np.ndarray:
    """A display curve on the range of the usable picture, in 256 steps."""
    if tone == "local contrast":
        small = (max(8, image.shape[0] // 8), max(8, image.shape[1] // 8))
        filled = resized(np.where(usable, image, np.median(image[usable])), small)
        width = rng.uniform(0.06, 0.12) * small[0]
        level = gaussian_filter(filled, width, mode="nearest")
        detail = image - resized(level, image.shape)
        size = np.sqrt(gaussian_filter(resized(np.where(usable, detail**2, 0.0), small), width, mode="nearest"))
        typical = float(np.sqrt(np.mean(detail[usable] ** 2)))
        evened = detail * 2 * typical / (resized(size, image.shape) + typical)
        image = np.where(usable, evened + rng.uniform(0.3, 0.6) * resized(level, image.shape), image)
    low, high = np.quantile(image[usable], [0.005, 0.995])
    share = np.clip((image - low) / max(high - low, 1e-3), 0.0, 1.0)
    if tone == "gamma":
        share = share ** np.exp(rng.uniform(np.log(0.55), np.log(1.8)))
    elif tone == "s-curve":
        steepness, middle = rng.uniform(5.0, 9.0), rng.uniform(0.35, 0.65)
        ends = 1 / (1 + np.exp(-steepness * (np.array([0.0, 1.0]) - middle)))
        share = (1 / (1 + np.exp(-steepness * (share - middle))) - ends[0]) / (ends[1] - ends[0])
    return (low + (high - low) * np.rint(255 * share) / 255).astype(np.float32)


def _text(shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """Pixels (rows, columns) bool of a few words in the corners."""
    from PIL import Image, ImageDraw, ImageFont

    image = Image.new("L", (shape[1], shape[0]))
    draw = ImageDraw.Draw(image)
    font = ImageFont.load_default(size=max(6.0, shape[0] * rng.uniform(0.028, 0.05)))
    values = {"a": int(rng.integers(0, 46)), "b": int(rng.integers(0, 31)), "c": int(rng.integers(1, 30)),
              "d": int(rng.integers(30, 99)), "kv": int(rng.integers(60, 120)), "sid": int(rng.integers(90, 121))}
    margin = 0.012 * shape[0]
    for right, bottom in ((0, 0), (1, 0), (0, 1), (1, 1)):
        if rng.random() < 0.35:
            continue
        words = [str(_TEXTS[number]).format(**values) for number in rng.integers(len(_TEXTS), size=rng.integers(1, 4))]
        at = (shape[1] - margin if right else margin, shape[0] - margin if bottom else margin)
        draw.multiline_text(at, "\n".join(words), fill=255, font=font,
                            anchor=("r" if right else "l") + ("d" if bottom else "a"))
    return np.asarray(image) > 110
