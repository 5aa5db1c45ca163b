"""Which shipped network finds catheters and guidewires."""

from . import weights
from .frame_network import DEVICE, OUTPUTS


def device_network() -> str | None:
    """The name of a shipped network that finds devices, None where none is shipped.

    One that finds vessels as well goes first: it knows the two apart.
    """
    found = []
    for path in sorted(weights.weights_directory().glob(f"*{weights.CARD_SUFFIX}")):
        if not path.with_suffix(".safetensors").exists():
            continue
        outputs = OUTPUTS.get(weights.load_card(path).architecture, ())
        if DEVICE in outputs:
            found.append((len(outputs) == 1, outputs[-1] != DEVICE, path.stem))
    return min(found)[-1] if found else None
