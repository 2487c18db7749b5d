"""A launch is checked, and becomes a script that holds everything exactly."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from orchestrator.errors import BadInput, TemporaryError
from orchestrator.ports.runtime import Launch
from orchestrator.testing.contracts.runtime import sessions_in
from plugins._shared import given_environment, launching

SHELLS = [shell for shell in ("/bin/dash", "/bin/bash", "/bin/busybox") if Path(shell).exists()]


@pytest.mark.parametrize("shell", ["/bin/sh", *SHELLS])
def test_the_program_sees_the_environment_that_was_given_and_no_more(shell: str, tmp_path: Path) -> None:
    environment = {"A": "it's\n$HOME `id` \\n\\", "EMPTY": "", "PWD": "/mine", "L": "x" * 70_000}
    script, pipe = tmp_path / "launch.sh", tmp_path / "launch.env"
    script.write_text(launching.script(("/usr/bin/env", "-0"), str(tmp_path), environment, pipe))
    given_environment.make(pipe)
    argv = [shell, *(["sh"] if shell.endswith("busybox") else []), str(script)]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True, env={}) as program:
        given_environment.give(pipe, environment)
        output, _ = program.communicate(timeout=30)
    assert program.returncode == 0
    assert not pipe.exists()
    seen = dict(pair.split("=", 1) for pair in output.split("\0") if pair)
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


def test_environment_that_came_in_part_starts_nothing(tmp_path: Path) -> None:
    """We may die while we write; the program must not run with half of what it needs."""
    script, pipe = tmp_path / "launch.sh", tmp_path / "launch.env"
    script.write_text(launching.script(("touch", "trap"), str(tmp_path), (), pipe))
    given_environment.make(pipe)
    with subprocess.Popen(["/bin/sh", str(script)], env={}) as program:
        with pipe.open("w") as half:
            half.write("export PATH=/usr/bin:/bin\n")
        assert program.wait(30) == 126
    assert not (tmp_path / "trap").exists()


def test_pipe_at_which_nobody_reads_is_given_up(tmp_path: Path) -> None:
    given_environment.make(tmp_path / "pipe")
    with pytest.raises(TemporaryError, match="did not take"):
        given_environment.give(tmp_path / "pipe", {"A": "1"}, wait=0.05)
