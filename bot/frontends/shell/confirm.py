"""Asks for a yes, bound to what was shown; scripts say it beforehand with `--yes`."""

from __future__ import annotations

from collections.abc import Mapping

from bot.actions.action import Action, Confirmation
from bot.chat.message import Message
from bot.chat.request import Value
from bot.frontends.shell.console import Console
from bot.frontends.shell.gateway import Confirm
from orchestrator.errors import AoError, BadInput


def needed(action: Action, arguments: Mapping[str, Value], console: Console, *, yes: bool) -> Confirm | None:
    """How to ask; None when nothing needs to be asked. Raises `BadInput` without a head that scripts must name."""
    if action.confirmation is Confirmation.NONE:
        return None
    if yes and action.confirmation is Confirmation.HEAD and not arguments.get("head"):
        msg = f"{action.verb} --yes needs the head commit that you saw."
        raise BadInput(
            msg, next_step=f"ao {action.verb} ... --head <sha> --yes; `ao status <session>` shows it."
        )
    if yes:
        return None
    return _Asking(action, console)


def _nobody(action: Action) -> BadInput:
    extra = " --head <sha>" if action.confirmation is Confirmation.HEAD else ""
    msg = f"{action.verb} asks before it does anything, and nobody can answer here."
    return BadInput(msg, next_step=f"For scripts: ao {action.verb} ...{extra} --yes.")


class _Asking:
    def __init__(self, action: Action, console: Console) -> None:
        self._action = action
        self._console = console

    def __call__(self, shown: Message, arguments: Mapping[str, Value]) -> dict[str, Value]:
        """Raises `AoError` when the answer is not yes, `BadInput` where nobody can answer."""
        if self._action.confirmation is Confirmation.RISK and not shown.buttons:
            return dict(arguments)
        if not self._console.can_ask:  # only now: what is not there at all was said before
            raise _nobody(self._action)
        if not self._console.ask(shown, "Do it?"):
            msg = "Nothing was done."
            raise AoError(msg)
        return bind(self._action, shown, arguments)


def bind(action: Action, shown: Message, arguments: Mapping[str, Value]) -> dict[str, Value]:
    """The arguments, with those that the shown button fixes: the session, the head, the ref.

    A head that was typed stands: if it is not the one that is, the service says so.
    """
    known = {argument.name for argument in action.arguments}
    button = shown.buttons[0].arguments if shown.buttons else {}
    fixed = {name: value for name, value in button.items() if name in known}
    return {**arguments, **fixed, **({"head": arguments["head"]} if arguments.get("head") else {})}
