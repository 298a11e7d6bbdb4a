"""`docs/worker-protocol.md` shows messages that backend and worker understand."""

from __future__ import annotations

import re

from ktrdr_site.environment import PROJECT
from workers.protocol import OperationAnswer, OperationReport, SyncAnswer, SyncRequest

TEXT = (PROJECT / "docs" / "worker-protocol.md").read_text()


def test_its_example_of_a_call_and_of_an_answer_are_messages() -> None:
    call, answer = re.findall(r"```json\n(.*?)```", TEXT, re.DOTALL)
    assert SyncRequest.model_validate_json(call).operations[0].progress is not None
    assert SyncAnswer.model_validate_json(answer).operations[0].verdict == "continue"


def test_it_names_every_state_verdict_and_reason() -> None:
    for model, name in ((OperationReport, "state"), (OperationAnswer, "verdict"), (OperationAnswer, "reason")):
        field = model.model_json_schema()["properties"][name]
        assert not [word for word in field["enum"] if word and f"`{word}`" not in TEXT]
