"""A training from its job to its result."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import numpy as np

from workers.spacing import Spacing
from workers.training.fit import FoldData
from workers.training.loop import train
from workers.training.modelfile import Model
from workers.training.plan import load_inputs, plan_of
from workers.training.prepare import Holdout, prepare
from workers.training.score import assess
from workers.training.version import environment
from workers.training.words import rules_in_words, terms_as_curves

if TYPE_CHECKING:
    from workers.job import Job, Reporter
    from workers.strategy import Strategy
    from workers.training.plan import Plan
    from workers.training.prepare import Prepared
    from workers.training.session import Session


def run(job: Job, reporter: Reporter) -> dict[str, Any]:
    """Train every fold and seed of `job.spec["strategy"]` on the file `bars`; see `workers.job.Task`.

    `job.spec["holdout"]` says where the hold-out begins and whether it is opened (see `Holdout`);
    `job.spec["checkpoint_every_s"]` spaces the checkpoints (0: after every epoch; see `Spacing`); it changes no bit of
    the result.
    """
    strategy, bars, data_sha256 = load_inputs(job)
    prepared = prepare(strategy, bars, Holdout.of(job.spec))
    plan = plan_of(strategy, data_sha256, len(prepared.folds), job.seed)
    session = train(plan, prepared, reporter, checkpoint=job.checkpoint, spacing=Spacing.of(job.spec))
    model = model_of(plan, prepared, session)
    payload = model.to_bytes()
    reporter.artifact("model.safetensors", payload)
    return result_of(strategy, prepared, plan, session, model, payload)


def model_of(plan: Plan, prepared: Prepared, session: Session) -> Model:
    seeds = plan.training.seeds
    scalers = [FoldData.of(prepared, fold).scaler for fold in prepared.folds]
    thetas = [session.finished[fold * seeds : (fold + 1) * seeds] for fold in range(plan.folds)]
    return Model(plan.shape, scalers, thetas, plan.identity)


def result_of(
    strategy: Strategy, prepared: Prepared, plan: Plan, session: Session, model: Model, payload: bytes
) -> dict[str, Any]:
    finite = all(bool(np.isfinite(theta).all()) for theta in session.finished)
    artifact = {"sha256": hashlib.sha256(payload).hexdigest(), "size": len(payload)}
    seen = prepared.features[prepared.folds[-1].train]
    return {
        "artifacts": {"model.safetensors": artifact},
        "model_sha256": model.sha256,
        "finite": finite,
        "diverged": sum(history["diverged"] for history in session.histories),
        "units": plan.units,
        "epochs": sum(history["epochs"] for history in session.histories),
        "history": session.histories,
        **assess(model, prepared),
        "rules": rules_in_words(model, strategy, seen),
        "terms": terms_as_curves(model, strategy),
        "identity": plan.identity,
        "environment": environment(),
    }
