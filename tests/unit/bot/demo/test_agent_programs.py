"""The pinned agents: found, installed once by npm, and never half there. npm is a script here."""

from __future__ import annotations

import json
import os
import shutil
import threading
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from bot.demo.agent_programs import PROGRAMS, ensure, harmless
from orchestrator.errors import NotFound, NotReady

CODEX = PROGRAMS["codex"]
NPM = """\
#!/bin/sh
printf '%s\\n' "$*" >> "$HOME/npm-calls"
env > "$HOME/npm-environment"
pwd > "$HOME/npm-folder"
while [ "$1" != --prefix ]; do shift; done
mkdir -p "$2/node_modules/.bin"
printf '#!/bin/sh\\necho it\\n' > "$2/node_modules/.bin/codex"
"""
LAST = 'chmod +x "$2/node_modules/.bin/codex"\n'


class Machine:
    """A home and a PATH with a Node.js, and with an npm that does what a test says."""

    def __init__(self, folder: Path) -> None:
        self.home = folder / "home"
        self.bin = folder / "bin"
        self.said: list[str] = []
        for made in (self.home, self.bin):
            made.mkdir()
        self.environ: dict[str, str] = {"HOME": str(self.home), "PATH": f"{self.bin}:/bin:/usr/bin"}
        self.put("node", "#!/bin/sh\necho v18.19.0\n")

    def put(self, name: str, text: str) -> None:
        (self.bin / name).write_text(text)
        (self.bin / name).chmod(0o700)

    @property
    def agents(self) -> Path:
        return self.home / ".cache" / "agent-orchestrator" / "agents"

    def kept(self, name: str) -> str:
        return (self.home / name).read_text()

    def ensure(self, **more: float) -> Path:
        return ensure("codex", tell=self.said.append, environ=self.environ, **more)


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    machine = Machine(tmp_path)
    machine.put("npm", NPM + LAST)
    return machine


def test_it_is_installed_once(machine: Machine) -> None:
    path = machine.ensure()
    assert path == machine.agents / f"codex-{CODEX.version}" / "node_modules" / ".bin" / "codex"
    assert os.access(path, os.X_OK)
    (call,) = machine.kept("npm-calls").splitlines()
    draft = machine.kept("npm-folder").strip()
    wanted = f"{CODEX.package}@{CODEX.version}"
    assert call == f"install --no-audit --no-fund --prefix {draft} {wanted}"
    assert Path(draft).parent == machine.agents
    assert len(machine.said) == 2
    assert machine.ensure() == path
    assert len(machine.kept("npm-calls").splitlines()) == 1
    assert sorted(entry.name for entry in machine.agents.iterdir()) == [".lock", path.parents[2].name]


def test_what_is_there_needs_no_npm_and_says_nothing(machine: Machine) -> None:
    path = machine.ensure()
    machine.said.clear()
    machine.environ["PATH"] = "/nothing"
    assert machine.ensure() == path
    assert machine.said == []


def test_another_cache_is_used(machine: Machine, tmp_path: Path) -> None:
    machine.environ["XDG_CACHE_HOME"] = str(tmp_path / "cache")
    assert machine.ensure().is_relative_to(tmp_path / "cache" / "agent-orchestrator" / "agents")


def test_what_an_earlier_one_left_half_made_is_replaced(machine: Machine) -> None:
    half = machine.agents / f"codex-{CODEX.version}" / "node_modules"
    half.mkdir(parents=True)
    (machine.agents / f".codex-{CODEX.version}-cut").mkdir()
    machine.ensure()
    assert not list(machine.agents.glob(".codex-*"))


def test_npm_gets_no_secret(machine: Machine) -> None:
    secrets = [
        "GH_TOKEN",
        "AWS_SECRET_ACCESS_KEY",
        "OPENAI_API_KEY",
        "npm_config__authToken",
        "DB_PASSWORD",
        "MY_PAT",
    ]
    machine.environ |= dict.fromkeys([*secrets, "SSH_AUTH_SOCK", "KEY"], "hush")
    machine.environ |= {"HTTPS_PROXY": "proxy", "npm_config_registry": "mirror"}
    machine.ensure()
    seen = machine.kept("npm-environment")
    assert "hush" not in seen
    assert "HTTPS_PROXY=proxy" in seen
    assert "npm_config_registry=mirror" in seen


@pytest.mark.parametrize(
    ("name", "kept"), [("KEYBOARD", True), ("PATH", True), ("SIGNING_KEY", False), ("GITHUB_PAT", False)]
)
def test_a_secret_is_known_by_its_name(name: str, kept: bool) -> None:
    environ: Mapping[str, str] = {name: "x"}
    assert harmless(environ) == (environ if kept else {})


@pytest.mark.parametrize(
    ("last", "words"),
    [
        ("exit 0\n", "did not install @openai/codex@"),
        (LAST + "echo no such version >&2\nexit 1\n", "no such version"),
    ],
)
def test_what_npm_could_not_do_is_told_and_leaves_nothing(machine: Machine, last: str, words: str) -> None:
    machine.put("npm", NPM + last)
    with pytest.raises(NotReady, match=words) as caught:
        machine.ensure()
    assert caught.value.next_step
    assert [entry.name for entry in machine.agents.iterdir()] == [".lock"]


def test_npm_and_what_it_started_end_when_the_time_is_over(machine: Machine) -> None:
    machine.put("npm", NPM + 'echo $$ > "$HOME/pid"\nsleep 300 & wait\n')
    with pytest.raises(NotReady, match=r"longer than 2 seconds"):
        machine.ensure(limit=2)
    group = int(machine.kept("pid"))
    deadline = time.monotonic() + 10
    while _alive(group):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def _alive(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.parametrize(
    ("node", "npm", "words"),
    [
        (None, NPM, "Node.js is not installed"),
        ("echo v18.0.0", None, "npm is not installed"),
        ("echo v16.20.2", NPM, "too old: v16.20.2"),
        ("echo broken >&2; exit 1", NPM, "too old: broken"),
    ],
)
def test_it_says_what_is_missing(tmp_path: Path, node: str | None, npm: str | None, words: str) -> None:
    machine = Machine(tmp_path)
    (machine.bin / "node").unlink()
    machine.environ["PATH"] = str(machine.bin)
    for name, text in (("node", node and f"#!{shutil.which('sh')}\n{node}\n"), ("npm", npm)):
        if text is not None:
            machine.put(name, text)
    with pytest.raises(NotReady, match=words) as caught:
        machine.ensure()
    assert "apt-get install nodejs npm" in caught.value.next_step
    assert "brew install node" in caught.value.next_step


def test_a_cache_that_cannot_be_written_is_told(machine: Machine) -> None:
    (machine.home / ".cache").write_text("a file")
    with pytest.raises(NotReady, match="could not be installed") as caught:
        machine.ensure()
    assert str(machine.agents) in caught.value.next_step


def test_an_unknown_agent_is_named(machine: Machine) -> None:
    with pytest.raises(NotFound, match="nobody"):
        ensure("nobody", environ=machine.environ)


def test_one_installs_and_the_other_waits_for_it(machine: Machine) -> None:
    gate = machine.home / "gate"
    os.mkfifo(gate)
    machine.put("npm", NPM + f'read -r go < "{gate}"\n' + LAST)
    waits = threading.Event()
    found: list[Path] = []

    def install(tell: list[str]) -> None:
        def note(words: str) -> None:
            tell.append(words)
            if "waiting" in words:
                waits.set()

        found.append(ensure("codex", tell=note, environ=machine.environ))

    said: list[list[str]] = [[], []]
    threads = [threading.Thread(target=install, args=(tell,)) for tell in said]
    for thread in threads:
        thread.start()
    assert waits.wait(10)
    gate.write_text("go\n")
    for thread in threads:
        thread.join(10)
    assert len(set(found)) == 1
    assert len(found) == 2
    assert len(machine.kept("npm-calls").splitlines()) == 1
    assert sum("waiting" in words for tell in said for words in tell) == 1


def test_the_pins_are_exact_and_name_no_address() -> None:
    text = json.dumps([[one.package, one.version] for one in PROGRAMS.values()])
    assert "://" not in text
    assert all(one.version.replace(".", "").isdigit() for one in PROGRAMS.values())
