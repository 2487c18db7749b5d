"""A launch line from the configuration keeps the promise of the terminal port."""

from __future__ import annotations

from pathlib import Path

import pytest
from typing_extensions import override

from orchestrator.errors import NotReady
from orchestrator.ports.plugin import PluginContext
from orchestrator.ports.terminal import Terminal
from orchestrator.testing.contracts.terminal import HOSTILE, TerminalContract, attach
from orchestrator.testing.waiting import eventually
from plugins.terminal.custom import PLUGIN, launch_line


def _terminal(tmp_path: Path, *launch: str) -> Terminal:
    return PLUGIN.create(
        PLUGIN.options.model_validate({"launch": launch}), PluginContext(home=tmp_path, data=str)
    )


class TestCustomTerminal(TerminalContract):
    @override
    @pytest.fixture
    def terminal(self, tmp_path: Path) -> Terminal:
        return _terminal(tmp_path, "true", "{title}", "{command...}")

    async def test_the_program_gets_its_words_as_they_are(self, tmp_path: Path) -> None:
        out = tmp_path / "words"
        script = f'printf "<%s>" "$@" > {out}.part; mv {out}.part {out}'
        terminal = _terminal(
            tmp_path, "sh", "-c", script, "sh", "--title={title}", "{command...}", "{command}"
        )
        await terminal.open(attach(title=HOSTILE))

        async def words() -> str:
            return _text(out)

        seen = await eventually(words, bool)
        title = " ".join(HOSTILE.split())
        assert seen == (
            f'<--title={title}><attach-to><demo-1><it\'s; $HOME "x">'
            """<attach-to demo-1 'it'"'"'s; $HOME "x"'>"""
        )
        assert _names(tmp_path) == ["words"]

    async def test_a_program_that_is_not_there_says_so(self, tmp_path: Path) -> None:
        with pytest.raises(NotReady, match="no-such-program"):
            await _terminal(tmp_path, "no-such-program", "{command}").open(attach())


def test_what_is_filled_in_is_not_filled_again() -> None:
    words = launch_line(("x", "{title}", "{command...}"), attach(title="{command} {session}"))
    assert words[1] == "{command} {session}"


@pytest.mark.parametrize(
    ("launch", "wrong"),
    [
        ((), "names no program"),
        (("kitty", "{caption}", "{command...}"), "{caption} is no placeholder"),
        (("kitty", "{title}"), "nothing would be attached to"),
        (("kitty", "-e={command...}"), "a word of its own"),
    ],
)
def test_a_wrong_launch_line_says_what_is_wrong(launch: tuple[str, ...], wrong: str) -> None:
    problems = PLUGIN.options.problems({"launch": launch})
    assert [problem.path for problem in problems] == [("launch",)]
    assert wrong in problems[0].text


def test_a_right_launch_line_has_no_problems() -> None:
    assert PLUGIN.options.problems({"launch": ["kitty", "--title", "{title}", "{command...}"]}) == []
    assert PLUGIN.options.problems({})[0].path == ("launch",)


def _text(path: Path) -> str:
    return path.read_text() if path.exists() else ""


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())
