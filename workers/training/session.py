"""How far a training is, and that as bytes: the checkpoint."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from workers.job import UnusableCheckpoint
from workers.training.fit import Fit, adam_of, generator_of
from workers.training.tensors import BadFile, expect, pack, unpack

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from workers.training.plan import Plan

_FORM = "training checkpoint 1"
_COUNTS = ("epoch", "step", "best_epoch")


@dataclass
class Session:
    """Finished models in order of fold and seed, their histories, and the model in hand."""

    finished: list[NDArray[np.float64]] = field(default_factory=list)
    histories: list[dict[str, Any]] = field(default_factory=list)
    current: Fit | None = None

    def unit(self, plan: Plan) -> int:
        """Epochs so far; a fit that stopped early counts as all its epochs."""
        return len(self.finished) * plan.training.epochs + (self.current.epoch if self.current else 0)


def dump(plan: Plan, session: Session) -> bytes:
    arrays = {"finished": np.array(session.finished).reshape(len(session.finished), plan.shape.size)}
    about: dict[str, Any] = {"form": _FORM, "identity": plan.identity, "histories": session.histories, "current": None}
    fold, seed = plan.place(len(session.finished))
    about["place"] = {"fold": fold, "seed": seed}
    if fit := session.current:
        arrays |= {"theta": fit.theta, "best": fit.best, "m": fit.adam.m, "v": fit.adam.v}
        about["current"] = {
            "epoch": fit.epoch,
            "step": fit.adam.step,
            "best_epoch": fit.best_epoch,
            "best_loss": fit.best_loss,
            "loss": fit.loss,
            "validation_loss": fit.validation_loss,
            "generator": fit.generator.bit_generator.state,
        }
    return pack(arrays, about)


def restore(plan: Plan, payload: bytes) -> Session:
    """The session of `dump`. Raises `UnusableCheckpoint` when it is damaged or of another training."""
    try:
        arrays, about = unpack(payload)
        if about.get("form") != _FORM:
            raise BadFile("it is no checkpoint of a training")
        _same_identity(about.get("identity"), plan)
        return _session(plan, arrays, about)
    except (BadFile, KeyError, TypeError, ValueError, AttributeError) as error:
        raise UnusableCheckpoint(f"This training checkpoint cannot be used: {error}.") from error


def _same_identity(identity: Any, plan: Plan) -> None:
    identity = identity if isinstance(identity, dict) else {}
    other = [name for name, value in plan.identity.items() if identity.get(name) != value]
    if other:
        raise BadFile(f"it belongs to another training (its {', '.join(other)} differs)")


def _session(plan: Plan, arrays: dict[str, Any], about: dict[str, Any]) -> Session:
    histories, size = list(about["histories"]), plan.shape.size
    if len(histories) > plan.fits or (about["current"] and len(histories) == plan.fits):
        raise BadFile("it holds more models than the training has")
    shapes: dict[str, tuple[int, ...]] = {"finished": (len(histories), size)}
    if about["current"]:
        shapes |= dict.fromkeys(("theta", "best", "m", "v"), (size,))
    expect(arrays, shapes)
    session = Session(list(arrays["finished"].copy()), histories)
    if about["current"]:
        session.current = _fit(plan, arrays, about["current"], plan.place(len(histories)))
    return session


def _fit(plan: Plan, arrays: dict[str, Any], state: dict[str, Any], place: tuple[int, int]) -> Fit:
    if any(type(state[name]) is not int or state[name] < 0 for name in _COUNTS):
        raise BadFile("one of its counters is no whole number")
    if not 0 < state["epoch"] <= plan.training.epochs or state["best_epoch"] > state["epoch"]:
        raise BadFile(f"it is at epoch {state['epoch']} of {plan.training.epochs}")
    adam = adam_of(plan)
    adam.m[:], adam.v[:], adam.step = arrays["m"], arrays["v"], state["step"]
    generator = generator_of(plan, *place)
    generator.bit_generator.state = state["generator"]
    fit = Fit(arrays["theta"].copy(), adam, generator, arrays["best"].copy(), float(state["best_loss"]))
    fit.epoch, fit.best_epoch = state["epoch"], state["best_epoch"]
    fit.loss, fit.validation_loss = state["loss"], state["validation_loss"]
    return fit
