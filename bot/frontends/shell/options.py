"""Options that every verb has in the shell. They may stand anywhere before a lone `--`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bot.actions.grammar import plain_option
from orchestrator.errors import BadInput

HELP = (
    ("--json", "data for programs"),
    ("--yes, -y", "do not ask; verbs that merge or approve then need --head"),
    ("--server <url>", "ask the `ao start` at this address, with the token in AO_TOKEN; also AO_SERVER"),
    ("--config <file>", "the configuration to use, where no `ao start` runs"),
    ("--help, -h", "what a verb does"),
    ("--version", "the version"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What was asked for besides the verb."""

    json: bool = False
    yes: bool = False
    help: bool = False
    config: str = ""
    server: str = ""


def take(words: Sequence[str]) -> tuple[Options, list[str]]:
    """The options of the shell, and the words that are left. Raises `BadInput`."""
    flags = {"--json": "json", "--yes": "yes", "-y": "yes", "--help": "help", "-h": "help"}
    found: dict[str, bool] = {}
    left: list[str] = []
    named = {"--config": "", "--server": ""}
    rest = iter(words)
    for word in rest:
        plain = plain_option(word) if word[:1] not in {"", "-"} else word
        if plain == "--":
            left += [word, *rest]
        elif plain in flags:
            found[flags[plain]] = True
        elif (option := plain.partition("=")[0]) in named:
            named[option] = plain.partition("=")[2] or next(rest, "")
            if not named[option]:
                msg = f"{option} needs {'a file' if option == '--config' else 'an address'}."
                raise BadInput(msg)
        else:
            left.append(word)
    return Options(config=named["--config"], server=named["--server"], **found), left
