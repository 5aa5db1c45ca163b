"""The named families of pictures: what may appear in each, so that a test can hold a whole family out.

Domains differ in kinds, not only in numbers. "training" and "wide" are there to learn from; the others are never shown
to a network that is judged on them. "wide" has small arteries in some pictures, so that "coronary" tests other
patients, devices and textures, but no kind of vessel that nobody has seen.
"""

from dataclasses import dataclass, field, replace

from ..errors import UserError

TRAINING = "training"
TEST = "test"
WIDE = "wide"
DSA = "dsa"
LOW_DOSE = "low-dose"
DISPLAY = "display"
BORDERS = "borders"
INVERTED = "inverted"
CORONARY = "coronary"

Range = tuple[float, float]


@dataclass(frozen=True)
class Domain:
    """What a picture of a domain is drawn from; ranges are (lowest, highest), shares are probabilities.

    ``tools`` and ``fixtures`` (by family) are what :func:`.streams.training_frame` shows; ``catheters`` and ``decoys``
    (by family) what :func:`.catheter_frames.catheter_frame` does. ``photons``, ``noise_blur``, ``sharpening``,
    ``compression`` and ``collimations`` are those of :class:`.looks.Look`. ``subtracted`` is the share of DSA,
    ``motion`` its motion in pixels, ``roadmaps`` the share of it whose mask holds contrast. ``lag`` is the share of
    the frame before that stays. ``tones`` are display curves of :mod:`.vendor`, ``text`` the share with burned-in
    text, ``borders`` what surrounds the picture without being declared, ``inverted`` the share shown bright on dark.
    ``thin_vessels`` is the share that shows a tree of small arteries, injected selectively.
    """

    textures: tuple[str, ...]
    tools: tuple[str, ...]
    fixtures: dict[str, tuple[str, ...]]
    collimations: tuple[str, ...]
    noise_blur: Range
    sharpening: Range
    compression: Range
    catheters: tuple[str, ...]
    decoys: dict[str, tuple[str, ...]]
    photons: Range = (250.0, 6000.0)
    scatter: Range = (0.15, 1.0)
    subtracted: float = 0.12
    motion: Range = (0.0, 1.2)
    roadmaps: float = 0.0
    lag: Range = (0.0, 0.0)
    tones: tuple[str, ...] = ("none",)
    text: float = 0.0
    borders: tuple[str, ...] = ("none",)
    inverted: float = 0.0
    thin_vessels: float = 0.0
    learnt_from: bool = field(default=False)


_TRAINING = Domain(
    textures=("spline", "ridged-coarse"),
    tools=("guidewire", "catheter", "pigtail", "free wire"),
    fixtures={"upper": ("ecg lead", "ecg clip", "sternal wires"), "lower": ("ecg lead", "ecg clip", "clamp")},
    collimations=("none", "none", "none", "straight", "tilted", "iris"),
    noise_blur=(0.0, 0.55), sharpening=(0.0, 1.2), compression=(0.0, 0.6),
    catheters=("guidewire", "catheter", "pigtail", "electrode catheter", "microcatheter", "catheter over wire"),
    decoys={"upper": ("ecg lead", "ecg clip", "sternal wires", "shock lead", "surgical clips", "gastric tube"),
            "lower": ("ecg lead", "ecg clip", "clamp", "surgical clips", "screws", "gastric tube")},
    learnt_from=True,
)
_TEST = Domain(
    textures=("ridged",),
    tools=("stiff wire", "marked catheter", "sheath", "pigtail"),
    fixtures={"upper": ("tee probe", "pacing lead", "valve frame", "ecg lead"),
              "lower": ("stent", "pacing lead", "ecg lead")},
    collimations=("none", "none", "straight", "octagon"),
    noise_blur=(0.45, 0.9), sharpening=(0.3, 1.6), compression=(0.2, 0.7), photons=(400.0, 4000.0),
    catheters=("stiff wire", "marked catheter", "sheath", "pigtail", "ablation catheter", "guidewire"),
    decoys={"upper": ("tee probe", "pacing lead", "valve frame", "ecg lead"),
            "lower": ("stent", "pacing lead", "ecg lead")},
)

_REGISTRY = {
    TRAINING: _TRAINING,
    TEST: _TEST,
    WIDE: replace(_TRAINING, photons=(90.0, 6000.0), lag=(0.0, 0.35), tones=("none", "none", "gamma"), subtracted=0.2,
                  roadmaps=0.3, thin_vessels=0.3),
    DSA: replace(_TEST, subtracted=1.0, motion=(0.4, 2.6), roadmaps=0.25, photons=(500.0, 6000.0)),
    LOW_DOSE: replace(_TEST, photons=(25.0, 110.0), scatter=(0.6, 1.6), noise_blur=(0.0, 0.4), sharpening=(0.0, 0.4),
                      lag=(0.2, 0.6), subtracted=0.0),
    DISPLAY: replace(_TEST, tones=("s-curve", "local contrast"), text=0.8, sharpening=(1.5, 3.0), subtracted=0.0),
    BORDERS: replace(_TEST, borders=("circle", "bars", "frame"), collimations=("none",), subtracted=0.0),
    INVERTED: replace(_TEST, inverted=1.0, subtracted=0.15),
    CORONARY: replace(_TEST, thin_vessels=1.0, subtracted=0.0,
                      decoys={"upper": ("ecg lead", "pacing lead", "valve frame"), "lower": ("stent", "ecg lead")}),
}

DOMAINS = tuple(_REGISTRY)
HELD_OUT_DOMAINS = tuple(name for name, domain in _REGISTRY.items() if not domain.learnt_from)


def domain_named(name: str) -> Domain:
    """The domain of a name. Raises UserError where there is none."""
    if name not in _REGISTRY:
        raise UserError(f"There is no domain {name!r}: choose one of {', '.join(DOMAINS)}.")
    return _REGISTRY[name]
