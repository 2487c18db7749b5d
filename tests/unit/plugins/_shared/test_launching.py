"""A launch is checked, and becomes a script that holds everything exactly."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from orchestrator.errors import BadInput
from orchestrator.ports.runtime import Launch
from orchestrator.testing.contracts.runtime import sessions_in
from plugins._shared import launching

SHELLS = [shell for shell in ("/bin/dash", "/bin/bash", "/bin/busybox") if Path(shell).exists()]


@pytest.mark.parametrize("shell", ["/bin/sh", *SHELLS])
def test_the_program_sees_the_environment_that_was_given_and_no_more(shell: str, tmp_path: Path) -> None:
    environment = {"A": "it's\n$HOME `id`", "EMPTY": "", "PWD": "/mine"}
    script = tmp_path / "launch.sh"
    script.write_text(launching.script(("/usr/bin/env", "-0"), str(tmp_path), environment))
    argv = [shell, *(["sh"] if shell.endswith("busybox") else []), str(script)]
    done = subprocess.run(argv, check=True, capture_output=True, text=True, env={})
    seen = dict(pair.split("=", 1) for pair in done.stdout.split("\0") if pair)
    assert seen == environment | {
        name: seen[name] for name in seen if name == "PATH" and name not in environment
    }


@pytest.mark.parametrize("name", ["", "1A", "A B", "A;touch x", "A=B", "-A"])
def test_what_is_no_variable_is_refused(name: str, tmp_path: Path) -> None:
    launch = Launch(argv=("sh",), cwd="/", environment={name: "x"})
    with pytest.raises(BadInput):
        launching.environment_of(sessions_in(tmp_path)(1), launch)


@pytest.mark.parametrize(
    ("text", "typed"),
    [
        ("a\nb\tc", "a\nb\tc"),
        ("a\r\nb\rc", "a\nb\nc"),
        ("x\x1b[201~\x03rm -rf\x7f\x9b", "x[201~rm -rf"),
        ("émoji 🎉 \u202e", "émoji 🎉 \u202e"),
    ],
)
def test_text_is_typed_without_keys_in_it(text: str, typed: str) -> None:
    assert launching.typable(text) == typed
