"""Where a network looks: gradient-weighted class activation maps (Selvaraju et al., ICCV 2017), for segmentation.

For a segmentation the score whose gradient is taken is the sum of an output over the pixels that it marks (Vinogradova
et al., AAAI 2020), the way Fig. 7 of Li et al. is made.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np

from ..errors import UserError

if TYPE_CHECKING:
    import torch
    from torch import nn


def grad_cam(network: nn.Module, image: np.ndarray, layer: str, output_channel: int = 0,
             pixels: np.ndarray | None = None) -> np.ndarray:
    """Map (rows, columns) float32, 0 to 1, of what in a layer speaks for an output.

    ``image`` (rows, columns) is normalised as the network wants it; ``layer`` is a name of :func:`layer_names`.
    ``pixels`` (rows, columns) bool are those whose output is explained; where not given, those that the network marks,
    or all where it marks none. The network's weights, mode and gradients are left as they are. Raises UserError for a
    layer or a channel that is not there.
    """
    import torch
    from torch.nn import functional

    known = dict(network.named_modules())
    if layer not in known or not layer:
        raise UserError(f"The network has no layer '{layer}': choose from {', '.join(layer_names(network, image))}.")
    with _evaluating(network), torch.enable_grad():
        activations: list[torch.Tensor] = []
        handle = known[layer].register_forward_hook(lambda module, entry, answer: activations.append(answer))
        try:
            # The input asks for a gradient, so that there is one whether or not the weights do.
            logits = network(_batch(network, image).requires_grad_())
        finally:
            handle.remove()
        if not activations or not isinstance(activations[-1], torch.Tensor) or activations[-1].dim() != 4:
            raise UserError(f"The layer '{layer}' gives no feature maps: choose from "
                            f"{', '.join(layer_names(network, image))}.")
        if logits.dim() != 4 or not 0 <= output_channel < logits.shape[1]:
            raise UserError(f"The network has no output {output_channel}: it has "
                            f"{logits.shape[1] if logits.dim() == 4 else 0}, counted from 0.")
        answer = logits[0, output_channel]
        chosen = answer > 0 if pixels is None else torch.from_numpy(pixels).to(answer.device)
        score = answer[chosen].sum() if bool(chosen.any()) else answer.sum()
        features = activations[-1]
        (gradient,) = torch.autograd.grad(score, features)
    weights = gradient.mean(dim=(2, 3), keepdim=True)
    coarse = torch.relu((weights * features.detach()).sum(dim=1, keepdim=True))
    fine = functional.interpolate(coarse, size=image.shape, mode="bilinear", align_corners=False)[0, 0]
    return (fine / fine.max().clamp(min=1e-12)).cpu().numpy().astype(np.float32)


def layer_names(network: nn.Module, image: np.ndarray) -> list[str]:
    """Layers that give feature maps, in the order in which they run; ``image`` (rows, columns) is tried on them."""
    return [name for name, _ in _feature_shapes(network, image)]


def deepest_layer(network: nn.Module, image: np.ndarray) -> str:
    """The last layer of those with the coarsest feature maps: what Grad-CAM usually shows."""
    shapes = _feature_shapes(network, image)
    coarsest = min(rows * columns for _, (rows, columns) in shapes)
    return [name for name, (rows, columns) in shapes if rows * columns == coarsest][-1]


def _feature_shapes(network: nn.Module, image: np.ndarray) -> list[tuple[str, tuple[int, int]]]:
    import torch

    shapes: list[tuple[str, tuple[int, int]]] = []

    def note(name: str, answer: object) -> None:
        if isinstance(answer, torch.Tensor) and answer.dim() == 4:
            shapes.append((name, (answer.shape[2], answer.shape[3])))

    handles = [module.register_forward_hook(lambda module, entry, answer, name=name: note(name, answer))
               for name, module in network.named_modules() if name]
    try:
        with _evaluating(network), torch.no_grad():
            network(_batch(network, image))
    finally:
        for handle in handles:
            handle.remove()
    return shapes


def _batch(network: nn.Module, image: np.ndarray) -> torch.Tensor:
    import torch

    device = next(network.parameters()).device
    return torch.from_numpy(np.ascontiguousarray(image, dtype=np.float32))[None, None].to(device)


@contextmanager
def _evaluating(network: nn.Module) -> Iterator[None]:
    was_training = network.training
    network.eval()
    try:
        yield
    finally:
        network.train(was_training)
