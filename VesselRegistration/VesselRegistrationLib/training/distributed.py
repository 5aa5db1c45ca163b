"""Training in several processes, on one machine or on several, started by torchrun.

Every process computes the gradient of its own share of the batch, but of the loss of the WHOLE batch, whose answers it
gets from the others: Dice over a batch is no mean of Dices over its parts. So W processes do what one would do with the
whole batch, up to rounding. Batch normalisation sees the whole batch on GPUs (SyncBatchNorm); on CPUs, where PyTorch
has none, it sees the share of its process, and the running statistics are those of the first process.
"""

import gc
import importlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import distributed, nn

from ..errors import UserError


@dataclass(frozen=True)
class Group:
    """This process's ``rank`` among ``processes``, and ``local_rank`` on its machine."""

    rank: int = 0
    processes: int = 1
    local_rank: int = 0

    @property
    def leads(self) -> bool:
        """Whether this is the process that validates, saves and reports."""
        return self.rank == 0

    def share(self, value: object) -> object:
        """What the leading process gives, in all processes."""
        if self.processes == 1:
            return value
        box = [value]
        distributed.broadcast_object_list(box, src=0)
        return box[0]


def leads() -> bool:
    """Whether this process is the first, or the only, one of a training."""
    return os.environ.get("RANK", "0") == "0"


@contextmanager
def joined_group(device: torch.device) -> Iterator[Group]:
    """Join the processes that torchrun started (RANK, WORLD_SIZE, LOCAL_RANK), or be alone without it.

    Raises UserError where the environment is not complete or there are not enough GPUs.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        yield Group()
        return
    try:
        group = Group(int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"]), int(os.environ.get("LOCAL_RANK", "0")))
    except (KeyError, ValueError):
        raise UserError("WORLD_SIZE is set but RANK is not: start several processes with torchrun.") from None
    if device.type == "cuda":
        if group.local_rank >= torch.cuda.device_count():
            raise UserError(f"There are {torch.cuda.device_count()} GPUs but more processes on this machine: give "
                            "torchrun a smaller --nproc-per-node.")
        torch.cuda.set_device(group.local_rank)
    # What a first DistributedDataParallel would load keeps, loaded after the group, the group as the default of its
    # arguments: the group's threads would then outlive the training and may abort the process as it ends.
    importlib.import_module("torch._dynamo")
    distributed.init_process_group("nccl" if device.type == "cuda" else "gloo")
    try:
        yield group
    finally:
        # A network freed after the group would wait for the group's threads with Python's lock in its hands, which
        # they may need to free what they sent.
        gc.collect()
        distributed.destroy_process_group()


def shared_network(network: nn.Module, group: Group) -> nn.Module:
    """The network with gradients averaged over the group."""
    if group.processes == 1:
        return network
    from torch.nn.parallel import DistributedDataParallel

    if next(network.parameters()).is_cuda:
        network = nn.SyncBatchNorm.convert_sync_batchnorm(network)
    return DistributedDataParallel(network)


def whole_batch(share: torch.Tensor) -> torch.Tensor:
    """The values (batch, ...) of all processes; gradients flow into this process's own share only."""
    if not distributed.is_initialized() or distributed.get_world_size() == 1:
        return share
    everyone = [torch.empty_like(share, memory_format=torch.contiguous_format)
                for _ in range(distributed.get_world_size())]
    distributed.all_gather(everyone, share.detach().contiguous())
    everyone[distributed.get_rank()] = share
    return torch.cat(everyone)
