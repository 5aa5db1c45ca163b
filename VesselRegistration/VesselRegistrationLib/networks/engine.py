"""Running a trained network as fast as the machine allows: by PyTorch, or by OpenVINO where it is installed."""

from __future__ import annotations

import importlib.util
import warnings
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Protocol

import numpy as np

from ..errors import UserError
from .device import choose_device
from .weights import ModelCard, load_card, load_network

if TYPE_CHECKING:
    import torch
    from torch import nn

TORCH = "torch"
OPENVINO = "openvino"
BACKENDS = (TORCH, OPENVINO)
AGREEMENT = 1e-5
"""Largest difference between the probabilities of the backends in single precision."""

_WARM_UP_RUNS = 3


class Backend(Protocol):
    """Images (n, channels, height, width) float32 to the network's answers (n, ...) float32."""

    def __call__(self, images: np.ndarray) -> np.ndarray:
        """Answer for a batch."""


class InferenceEngine:
    """A trained network, ready to answer."""

    def __init__(self, card: ModelCard | str, device: str = "auto", backend: str = TORCH, *,
                 half_precision: bool = False) -> None:
        """Load a network by its card or the card's name; the weights' SHA-256 is checked.

        ``backend`` is "torch" or "openvino" (CPU only). ``half_precision`` computes in 16 bits on CUDA. Raises
        UserError where the weights, the device or the backend cannot be used.
        """
        self.card = card if isinstance(card, ModelCard) else load_card(card)
        self.device = choose_device(device)
        if half_precision and self.device.type != "cuda":
            raise UserError("Half precision is for CUDA devices: leave it out on the CPU.")
        self._run = make_backend(load_network(self.card), self.device, backend, half_precision)

    def __call__(self, images: np.ndarray) -> np.ndarray:
        """Images (n, channels, height, width), any real type, to the network's answers, float32.

        A segmentation network answers with logits (n, outputs, height, width).
        """
        return self._run(np.ascontiguousarray(images, dtype=np.float32))

    def stream(self, images: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
        """Answers to single images (channels, height, width), one after the other as they come."""
        for image in images:
            yield self(image[None])[0]


def make_backend(network: nn.Module, device: torch.device, backend: str = TORCH,
                 half_precision: bool = False) -> Backend:
    """Prepare a network that is in evaluation mode. Raises UserError for a backend that is not there."""
    if backend not in BACKENDS:
        raise UserError(f"The inference backend '{backend}' is not known: choose one of {', '.join(BACKENDS)}.")
    folded = fold_batch_norm(network)
    if backend == TORCH:
        return _CudaGraphs(folded, device, half_precision) if device.type == "cuda" else _TorchCpu(folded)
    if importlib.util.find_spec("openvino") is None:
        raise UserError("OpenVINO is not installed: install it (pip install openvino) or choose the backend torch.")
    if device.type != "cpu":
        raise UserError("The backend openvino is for the CPU: choose the device cpu or the backend torch.")
    return _OpenVino(folded)


def fold_batch_norm(network: nn.Module) -> nn.Module:
    """A copy whose convolutions carry the batch norm that directly follows them; answers are the same."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # PyTorch's own, while it loads this part of itself
        from torch.fx.experimental.optimization import fuse

    return fuse(network.eval())


class _TorchCpu:
    """Channels last, which the CPU's convolutions prefer."""

    def __init__(self, network: nn.Module) -> None:
        import torch

        self._network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def __call__(self, images: np.ndarray) -> np.ndarray:
        import torch

        with torch.inference_mode():
            batch = torch.from_numpy(images).contiguous(memory_format=torch.channels_last)
            return self._network(batch).float().contiguous().numpy()


class _CudaGraphs:
    """One captured graph for each shape of batch: a replay costs no launches from Python."""

    def __init__(self, network: nn.Module, device: torch.device, half_precision: bool) -> None:
        import torch

        self._type = torch.float16 if half_precision else torch.float32
        self._network = network.to(device, self._type).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._device = device
        self._graphs: dict[tuple[int, ...], tuple[torch.cuda.CUDAGraph, torch.Tensor, torch.Tensor]] = {}

    def __call__(self, images: np.ndarray) -> np.ndarray:
        import torch

        with torch.inference_mode():
            if images.shape not in self._graphs:
                self._graphs[images.shape] = self._capture(images.shape)
            graph, entry, answer = self._graphs[images.shape]
            entry.copy_(torch.from_numpy(images))
            graph.replay()
            return answer.float().cpu().contiguous().numpy()

    def _capture(self, shape: tuple[int, ...]) -> tuple[torch.cuda.CUDAGraph, torch.Tensor, torch.Tensor]:
        import torch

        entry = torch.zeros(shape, dtype=self._type, device=self._device).contiguous(memory_format=torch.channels_last)
        side = torch.cuda.Stream(self._device)
        side.wait_stream(torch.cuda.current_stream(self._device))
        with torch.cuda.stream(side):
            for _ in range(_WARM_UP_RUNS):
                self._network(entry)
        torch.cuda.current_stream(self._device).wait_stream(side)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            answer = self._network(entry)
        return graph, entry, answer


class _OpenVino:
    """Compiled once for each shape of batch, in single precision."""

    def __init__(self, network: nn.Module) -> None:
        self._network = network
        self._compiled: dict[tuple[int, ...], object] = {}

    def __call__(self, images: np.ndarray) -> np.ndarray:
        if images.shape not in self._compiled:
            self._compiled[images.shape] = self._compile(images)
        (answer,) = self._compiled[images.shape](images).values()  # type: ignore[operator]
        return np.array(answer, dtype=np.float32)

    def _compile(self, images: np.ndarray) -> object:
        import openvino
        import torch

        with torch.inference_mode():
            model = openvino.convert_model(self._network, example_input=torch.from_numpy(images),
                                           input=list(images.shape))
        settings = {"INFERENCE_PRECISION_HINT": "f32", "PERFORMANCE_HINT": "LATENCY",
                    "INFERENCE_NUM_THREADS": torch.get_num_threads()}
        return openvino.Core().compile_model(model, "CPU", settings)
