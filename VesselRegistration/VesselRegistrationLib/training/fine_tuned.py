"""A task whose network starts from trained weights and keeps some of its layers."""

from torch import nn

from .first_weights import freeze, load_first_weights
from .trainer import Task


class FineTunedTask:
    """The same data, loss and scores as another task's; what was loaded and frozen joins its origin."""

    def __init__(self, task: Task, init: str, frozen: str) -> None:
        """``init`` and ``frozen`` are those of :class:`.plan.TrainingPlan`; "" for none."""
        self._task, self._init, self._frozen = task, init, frozen
        self.name, self.design, self.samples = task.name, task.design, task.samples
        self.main_score, self.smaller_is_better = task.main_score, task.smaller_is_better
        self.loss, self.validate = task.loss, task.validate
        self.origin = dict(task.origin)

    def build(self) -> nn.Module:
        """The network with its first weights. Raises UserError where they do not fit or cannot be frozen so."""
        network = self._task.build()
        if self._init:
            self.origin["init"] = load_first_weights(network, self._init, self.design)
        if self._frozen:
            freeze(network, self._frozen)
            self.origin["frozen"] = self._frozen
        return network
