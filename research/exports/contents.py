"""Which files an export has, and what stands in each."""

from __future__ import annotations

import hashlib
import io
import json
from typing import TYPE_CHECKING, Any

import numpy as np
from django.utils import timezone

from research.exports.about import about
from research.exports.sheet import sheet
from research.lifecycle.states import Kind, Status
from research.models import Artifact, Operation
from research.selectors import researches
from research.services import blobs, datasets
from workers.market.csvfile import write_csv

if TYPE_CHECKING:
    from collections.abc import Iterator

    from research.models import Research

FORM = 1
MANIFEST = "MANIFEST.json"


def files(research: Research) -> Iterator[tuple[str, bytes]]:
    """Name and content of every file, one after the other; the manifest, with the SHA-256 of all others, last.

    `research` as `selectors.researches.get` gives it. Raises `Damaged` when a stored file is not what was stored.
    """
    found = researches.detail(research)
    listed = {}
    for name, content in _contents(research, found):
        listed[name] = {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content)}
        yield name, content
    yield MANIFEST, _json(_manifest(found, listed))


def names_of(research: Research) -> str:
    """What an archive of it is called, without its ending."""
    return f"ktrdr-research-{research.pk}"


def _contents(research: Research, found: dict[str, Any]) -> Iterator[tuple[str, bytes]]:
    yield "README.md", about(found).encode()
    yield "research.json", _json({name: value for name, value in found.items() if name != "events"})
    yield "events.jsonl", "".join(f"{json.dumps(one, default=str)}\n" for one in found["events"]).encode()
    if found["strategy"]:
        yield "strategy.json", _json(found["strategy"]["spec"])
    yield "bars.csv", write_csv(datasets.read(research.dataset))
    for artifact in _artifacts(research):
        content = blobs.read(artifact.blob, artifact.sha256)
        yield f"{artifact.operation.kind}/{artifact.name}", content
        if artifact.name == "equity.npy":
            yield "backtest/equity.csv", _equity_csv(content)
    yield "sheet.html", sheet(research).encode()


def _artifacts(research: Research) -> list[Artifact]:
    rows = Artifact.objects.filter(operation__research=research, operation__status=Status.COMPLETED)
    return list(rows.select_related("operation").order_by("operation_id", "name"))


def _manifest(found: dict[str, Any], listed: dict[str, Any]) -> dict[str, Any]:
    same = ("id", "symbol", "timeframe", "seed", "memory_seq", "model_sha256", "trades_sha256", "equity_sha256")
    return {
        "form": FORM, "exported_at": timezone.now().isoformat(),
        **{name: found[name] for name in same},
        "strategy_sha256": (found["strategy"] or {}).get("sha256"), "dataset_sha256": found["dataset"]["sha256"],
        "environment": {kind.value: _environment(found["id"], kind) for kind in (Kind.TRAINING, Kind.BACKTEST)},
        "files": listed,
    }  # fmt: skip


def _environment(research: int, kind: Kind) -> dict[str, Any]:
    """Versions and CPU features that the accepted result was made with."""
    rows = Operation.objects.filter(research_id=research, kind=kind, status=Status.COMPLETED)
    return dict((rows.values_list("result", flat=True).first() or {}).get("environment") or {})


def _equity_csv(payload: bytes) -> bytes:
    """`time` (UTC), `equity`, `buy_and_hold`, one line a bar, as in `equity.npy`."""
    table = np.load(io.BytesIO(payload), allow_pickle=False)
    times = np.datetime_as_string(table[:, 0].astype("int64").astype("datetime64[s]"), unit="s")
    lines = [f"{time}Z,{own!r},{held!r}" for time, own, held in zip(times, *table[:, 1:].T.tolist(), strict=True)]
    return "\n".join(["time,equity,buy_and_hold", *lines, ""]).encode()


def _json(value: Any) -> bytes:
    return (json.dumps(value, indent=2, ensure_ascii=False, default=str) + "\n").encode()
