"""`manage.py workers create-token` and `revoke-token`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from research.management.actions import json_option, whoami
from research.services import tokens

if TYPE_CHECKING:
    from argparse import ArgumentParser
    from collections.abc import Mapping

    from research.management.terminal import Out


class CreateToken:
    help = "Make a token for the worker NAME and for NAME-1, NAME-2, …; it is shown only now."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", metavar="NAME")
        json_option(parser)

    def run(self, out: Out, options: Mapping[str, Any]) -> None:
        name = options["name"]
        token = tokens.create_token(name, user=whoami())
        if options["json"]:
            return out.json({"name": name, "token": token})
        out.line(token)
        if out.tty:
            out.line(
                out.tint(f"On the worker's host: KTRDR_TOKEN=… python -m workers --name {name} --url URL", "quiet")
            )
        return None


class RevokeToken:
    help = "Make every token of NAME useless; its workers are refused from now on."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", metavar="NAME")
        json_option(parser)

    def run(self, out: Out, options: Mapping[str, Any]) -> None:
        name = options["name"]
        count = tokens.revoke(name, user=whoami())
        if options["json"]:
            return out.json({"name": name, "revoked": count})
        out.line(f"{count} token{'s' if count > 1 else ''} of {name} revoked.")
        return None
