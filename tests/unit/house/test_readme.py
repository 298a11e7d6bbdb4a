"""Every command in the README is one that exists, with options it takes."""

from __future__ import annotations

import re
import shlex

import pytest
from django.core.management import load_command_class

from ktrdr_site.environment import PROJECT

README = (PROJECT / "README.md").read_text()
COMMANDS = re.findall(r"manage\.py ([^\n#]+?)\s*(?:#.*)?$", README, re.MULTILINE)
OF_DJANGO = {"check", "changepassword"}


@pytest.mark.parametrize("line", COMMANDS)
def test_a_command_of_the_readme_is_understood(line: str) -> None:
    name, *arguments = shlex.split(line.split("`", maxsplit=1)[0])
    app = "django.core" if name in OF_DJANGO else "research"
    parser = load_command_class(app, name).create_parser("manage.py", name)
    parser.parse_args(arguments)  # leaves with an error when it does not understand


def test_the_make_targets_of_the_readme_exist() -> None:
    makefile = (PROJECT / "Makefile").read_text()
    targets = set(re.findall(r"make ([a-z]+)", README))
    assert targets
    assert not [target for target in targets if not re.search(rf"^{target}:", makefile, re.MULTILINE)]
