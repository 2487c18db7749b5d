"""`ao completion`: what a shell offers while `ao` is typed; live sessions and projects included."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence

from bot.actions import registry
from bot.actions.action import Action, Argument, Kind
from bot.chat.request import Value
from bot.frontends.api.client import Client
from bot.frontends.shell.console import Console
from bot.frontends.shell.machine import Machine, Surroundings
from bot.frontends.shell.options import HELP
from orchestrator.errors import AoError
from orchestrator.storage.layout import Home

_TIME_LIMIT = 1.0
_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_./:-]*|--?[a-z-]+")

BASH = """\
_ao_complete() {
    local line
    COMPREPLY=()
    while IFS= read -r line; do
        COMPREPLY+=("$line")
    done < <(command ao __complete "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -o default -F _ao_complete ao
"""
ZSH = """\
#compdef ao
_ao_complete() {
    local -a found
    found=("${(@f)$(command ao __complete "${(@)words[2,CURRENT]}" 2>/dev/null)}")
    [[ -n "${found[1]}" ]] && compadd -- "${found[@]}" || _files
}
compdef _ao_complete ao
"""
FISH = """\
function __ao_complete
    set -l typed (commandline -opc)
    command ao __complete $typed[2..-1] (commandline -ct) 2>/dev/null
end
complete -c ao -f -a '(__ao_complete)'
"""
_SCRIPTS = {"bash": BASH, "zsh": ZSH, "fish": FISH}


def run(machine: Machine, where: Surroundings, console: Console, arguments: Mapping[str, Value]) -> int:
    """Print the script of a shell."""
    del machine, where
    console.say(_SCRIPTS[str(arguments["shell"])].rstrip("\n"))
    return 0


def candidates(words: Sequence[str]) -> list[str]:
    """What the last word may become. Never more than plain words: a shell is given them."""
    *before, typed = words or [""]
    found = {word for word in _offers(before) if word.startswith(typed) and _PLAIN.fullmatch(word)}
    return sorted(found)


def _offers(before: Sequence[str]) -> list[str]:
    plain = [word for word in before if not word.startswith("-")]
    action = _action(plain)
    if action is None:
        return _next_verb_words(plain)
    count = len(action.verb.split())
    options = [f"--{argument.name}" for argument in action.options] + [
        name.split()[0].strip(",") for name, _ in HELP
    ]
    named = next(
        (a for a in action.options if before and before[-1] == f"--{a.name}" and a.kind is not Kind.FLAG),
        None,
    )
    if named is not None:
        return _values(named)
    positional = action.positional
    place = len(plain) - count
    argument = positional[min(place, len(positional) - 1)] if positional else None
    return options + (
        _values(argument) if argument and (place < len(positional) or argument.kind is Kind.MANY) else []
    )


def _action(words: Sequence[str]) -> Action | None:
    """The verb that is typed already, whole."""
    for count in range(registry.LONGEST, 0, -1):
        if len(words) >= count and " ".join(words[:count]) in registry.VERBS:
            return registry.load(" ".join(words[:count]))
    return None


def _next_verb_words(words: Sequence[str]) -> list[str]:
    parts = [verb.split() for verb in registry.VERBS]
    return [
        verb[len(words)] for verb in parts if len(verb) > len(words) and verb[: len(words)] == list(words)
    ]


def _values(argument: Argument) -> list[str]:
    if argument.choices:
        return list(argument.choices)
    try:
        client = _client(os.environ)
        if argument.kind is Kind.SESSION or argument.name == "ref":
            return [str(session.get("id")) for session in client.sessions(ended=argument.name == "ref")]
        if argument.kind is Kind.PROJECT:
            return _projects(client)
    except AoError:
        return []  # A shell asks while somebody types: nothing to offer is the whole answer.
    return []


def _client(env: Mapping[str, str]) -> Client:
    """The server that a verb would ask. Raises `AoError`."""
    server = env.get("AO_SERVER", "")
    if not server:
        return Client(Home.default(env).api_socket, timeout=_TIME_LIMIT)
    from bot.frontends.api.reach import token_for

    return Client(server, token=token_for(server, env), timeout=_TIME_LIMIT)


def _projects(client: Client) -> list[str]:
    data = client.act("project ls").get("data")
    found = data.get("projects") if isinstance(data, dict) else None
    return [str(one.get("id")) for one in found if isinstance(one, dict)] if isinstance(found, list) else []
