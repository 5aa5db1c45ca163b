"""Which networks can be trained for which task, by the names of the command line."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..errors import UserError
from ..networks.affine_cnn import COMPACT, PUBLISHED
from ..networks.frame_network import BACKGROUND, OUTPUTS

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class NetworkDesign:
    """An architecture of ``networks.weights.build_network`` with its parameters.

    ``outputs`` names the channels of its answer: "vessel", "device", "background"; empty for a matching network.
    """

    architecture: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    outputs: tuple[str, ...] = ()

    @property
    def targets(self) -> tuple[str, ...]:
        """The outputs that samples must tell; the background is what is left."""
        return tuple(name for name in self.outputs if name != BACKGROUND)

    def build(self) -> "nn.Module":
        """A new network. Raises UserError for an architecture that is not known."""
        from ..networks.weights import build_network

        return build_network(self.architecture, self.parameters)


def _segmenting(architecture: str) -> NetworkDesign:
    return NetworkDesign(architecture, {}, OUTPUTS[architecture])


def _listed(parameters: Mapping[str, Any]) -> dict[str, Any]:
    return {key: list(value) if isinstance(value, tuple) else value for key, value in parameters.items()}


DRU_NET = "dru-net"
LIGHT = "light"
AMBROSINI = "ambrosini"
OURS = "ours"
PUBLISHED_MATCHING = "published"
COMPACT_MATCHING = "compact"

_OURS = _segmenting("FluoroNet")
VESSEL_NETWORKS = {
    OURS: _OURS,
    DRU_NET: _segmenting("DRUNet"),
}
CATHETER_NETWORKS = {
    OURS: _OURS,
    LIGHT: _segmenting("LightUNet"),
    AMBROSINI: _segmenting("AmbrosiniNet"),
}
MATCHING_NETWORKS = {
    COMPACT_MATCHING: NetworkDesign("AffineCNN", _listed(COMPACT)),
    PUBLISHED_MATCHING: NetworkDesign("AffineCNN", _listed(PUBLISHED)),
}
SUPERVISED_MATCHING = NetworkDesign("MatchNet")


def design_of(network: str, known: Mapping[str, NetworkDesign]) -> NetworkDesign:
    """The design of a name. Raises UserError for one that is not known for the task."""
    if network not in known:
        raise UserError(f"The network '{network}' is not known for this training: choose {' or '.join(known)}.")
    return known[network]
