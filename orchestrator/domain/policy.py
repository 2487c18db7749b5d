r"""What agents may run: rules that allow, ask or deny, and how a call is judged by them. Pure.

A rule is written `Tool` or `Tool(pattern)`. In a pattern `*` stands for any text, `\*` for a star, and
everything else for itself. Deny wins over ask, ask over allow. A command line for a shell may hold
several commands: it is allowed only if each of them is, and denied or asked about if one of them is.
A path is matched as the agent gives it, and also as it stands below the session's workspace. The agent's own
`ao`, run plainly, is allowed unless a rule asks about it or denies it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from typing_extensions import override

from orchestrator.domain import own_program
from orchestrator.domain.activity import ToolCall, Verdict
from orchestrator.domain.command_line import BLANKS, Unreadable, take_apart
from orchestrator.domain.outside_text import excerpt, one_line
from orchestrator.errors import BadInput

ALLOW_ONCE = "Allow once"
ALLOW_ALWAYS = "Allow always"
DENY = "Deny"
DENY_WITH_REASON = "Deny and say why"
PERMISSION_OPTIONS = (ALLOW_ONCE, ALLOW_ALWAYS, DENY, DENY_WITH_REASON)
"""What a person can choose where an agent asks for leave to run something."""

ANY_TOOL = "*"
MOST_RULE = 10_000
_RULE = re.compile(r"([A-Za-z0-9_.:-]{1,200}|\*)(?:\((.*)\))?", re.DOTALL)
_STAR = re.compile(r"\\\*|\*")
_WORD_EDGE = frozenset(" \t\n\r;&|()`'\"{}=/\\$<>!:+-?")
"""Before a command that is searched for in a line which cannot be taken apart."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """Text with gaps: each `*` of the rule is one between two pieces."""

    pieces: tuple[str, ...]

    @classmethod
    def of(cls, text: str) -> Pattern:
        """The pattern that a rule writes."""
        pieces, last = [""], 0
        for star in _STAR.finditer(text):
            pieces[-1] += text[last : star.start()]
            last = star.end()
            if star.group() == "*":
                pieces.append("")
            else:
                pieces[-1] += "*"
        pieces[-1] += text[last:]
        return cls(tuple(pieces))

    @property
    def exact(self) -> bool:
        """It has no gap: it stands for one text only."""
        return len(self.pieces) == 1

    @property
    def anything(self) -> bool:
        """It stands for every text."""
        return not self.exact and not any(self.pieces)

    def matches(self, text: str) -> bool:
        """Whether it stands for the whole text. Takes time in proportion to the text, whatever is in it."""
        if self.exact:
            return text == self.pieces[0]
        first, *middle, last = self.pieces
        at, end = len(first), len(text) - len(last)
        if end < at or not text.startswith(first) or not text.endswith(last):
            return False
        for piece in middle:
            at = text.find(piece, at, end)
            if at < 0:
                return False
            at += len(piece)
        return True

    def occurs_in(self, text: str) -> bool:
        """Whether it begins at a word anywhere in the text, however the text goes on."""
        first, *others = self.pieces
        at = text.find(first)
        while at > 0 and first and text[at - 1] not in _WORD_EDGE:
            at = text.find(first, at + 1)
        for piece in others:
            at = text.find(piece, at) if at >= 0 else at
        return at >= 0


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. Its text is its own words: `deny Bash(git push --force*)`."""

    verdict: Verdict
    tool: str
    pattern: str | None = None
    """As written; None stands for every use of the tool."""
    _pattern: Pattern = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_pattern", Pattern.of("*" if self.pattern is None else self.pattern))

    @property
    def text(self) -> str:
        """As it is written: `Bash(git push --force*)`."""
        return self.tool if self.pattern is None else f"{self.tool}({self.pattern})"

    @override
    def __str__(self) -> str:
        return f"{self.verdict.value} {self.text}"

    def is_about(self, call: ToolCall) -> bool:
        """Whether it speaks of this tool at all."""
        return self.tool in {ANY_TOOL, call.tool}

    @property
    def of_argument(self) -> Pattern:
        """What it says of the argument."""
        return self._pattern


def parse(verdict: Verdict, text: str) -> Rule:
    """The rule that `text` writes. Raises `BadInput`."""
    written = text.strip()
    found = _RULE.fullmatch(written)
    if found is None or len(written) > MOST_RULE:
        msg = f"{one_line(text, 80)!r} is no rule: write Tool or Tool(pattern), as in Bash(git push*)."
        raise BadInput(msg)
    return Rule(verdict, found.group(1), found.group(2))


def exactly(call: ToolCall) -> Rule:
    """The rule that allows this very call and no other. Raises `BadInput`."""
    argument = call.argument.strip(BLANKS) if call.shell else call.argument
    escaped = argument.replace("*", r"\*")
    return parse(Verdict.ALLOW, f"{call.tool}({escaped})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Rules, in the order in which they were written."""

    allow: tuple[Rule, ...] = ()
    ask: tuple[Rule, ...] = ()
    deny: tuple[Rule, ...] = ()
    workspace: str = ""
    """Where patterns of paths begin that do not begin at the root; empty where that is not known."""

    def and_allow(self, rules: Sequence[Rule]) -> Policy:
        """The same with more that is allowed."""
        return replace(self, allow=(*self.allow, *rules)) if rules else self

    @property
    def judged(self) -> frozenset[str]:
        """Tools whose calls must be looked at before they run, whatever the agent's own mode lets through."""
        return frozenset(rule.tool for rule in (*self.ask, *self.deny))


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What the rules say of a call; `verdict` is None where none of them speaks of it."""

    verdict: Verdict | None = None
    words: str = ""
    """The rules that decided, in their own words."""


def judge(policy: Policy, call: ToolCall) -> Judgement:
    """Deny wins over ask, ask over allow."""
    texts = _texts(call, policy.workspace)
    for rules in (policy.deny, policy.ask):
        for rule in rules:
            if rule.is_about(call) and texts.hold(rule.of_argument):
                return Judgement(verdict=rule.verdict, words=shown(str(rule)))
    about = [rule for rule in policy.allow if rule.is_about(call)]
    allowing = _allowing(about, call, texts)
    if allowing:
        words = ", ".join(dict.fromkeys(allowing))
        return Judgement(verdict=Verdict.ALLOW, words=shown(words))
    return Judgement()


def shown(text: str, limit: int = 300) -> str:
    """A rule, or a call, as people are shown it: on one line, masked, bounded."""
    return one_line(excerpt(text, 4 * limit), limit)


def described(call: ToolCall) -> str:
    """The call as people are shown it: `Bash(git status)`."""
    return shown(f"{call.tool}({call.argument})")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Texts:
    """A call's argument, as rules look at it."""

    forms: tuple[str, ...]
    """Each text that a rule which forbids may name."""
    unsure: tuple[str, ...] = ()
    """Searched through instead, where the argument cannot be taken apart."""
    parts: tuple[tuple[str, ...], ...] = ()
    """All of these must be allowed, each in one of its spellings; without any, only a rule that names the whole
    argument allows it."""

    def hold(self, pattern: Pattern) -> bool:
        return any(map(pattern.matches, self.forms)) or any(map(pattern.occurs_in, self.unsure))


def _texts(call: ToolCall, workspace: str) -> _Texts:
    if not call.shell:
        return _path_texts(call.argument, workspace)
    argument = call.argument
    whole = (argument, argument.strip(BLANKS))
    try:
        line = take_apart(own_program.without_document(argument) or argument)
    except Unreadable:
        bare = " ".join(re.sub(r"\\\n|['\"\\]", "", argument).split())
        return _Texts(forms=whole, unsure=(argument, bare))
    named = dict.fromkeys((*whole, *line.parts, *line.runs))
    return _Texts(forms=tuple(named), parts=tuple((part,) for part in line.parts) if line.plain else ())


def _path_texts(argument: str, workspace: str) -> _Texts:
    """A path, or what else a tool is used on; links on the way of a path are not known here."""
    begun = argument.startswith("/") or "://" in argument or not workspace
    absolute = "/".join(_resolved(argument if begun else f"{workspace}/{argument}"))
    below = _below(absolute, workspace)
    forms = (argument, "/".join(_resolved(argument)), absolute, *below, *_elsewhere(absolute, workspace))
    spellings = (argument, *below) if argument.startswith("/") else (argument,)
    climbs = ".." in argument.split("/")
    return _Texts(forms=tuple(dict.fromkeys(forms)), parts=() if climbs else (spellings,))


def _below(path: str, workspace: str) -> tuple[str, ...]:
    """The path as it is written from the workspace, in both ways to begin it."""
    root = "/".join(_resolved(workspace)) + "/"
    relative = path.removeprefix(root)
    return (relative, f"./{relative}") if workspace and path.startswith(root) and relative else ()


def _elsewhere(path: str, workspace: str) -> tuple[str, ...]:
    """What follows a folder called like the workspace: it may be the workspace, reached by another way.

    Looked at by rules that forbid only.
    """
    name = workspace.rstrip("/").rpartition("/")[2]
    _, found, relative = path.partition(f"/{name}/") if name else ("", "", "")
    return (relative, f"./{relative}") if found else ()


def _resolved(path: str) -> list[str]:
    """A path's parts without `.`, `..` and doubled slashes."""
    kept: list[str] = [""] if path.startswith("/") else []
    for part in path.split("/"):
        if part == ".." and kept and kept[-1] not in {"", ".."}:
            kept.pop()
        elif part == ".." and kept == [""]:
            continue
        elif part not in {"", "."}:
            kept.append(part)
    return kept


def _allowing(rules: Sequence[Rule], call: ToolCall, texts: _Texts) -> tuple[str, ...]:
    """The rules that together allow the call, in their own words; empty when they do not."""
    whole = {call.argument, call.argument.strip(BLANKS)} if call.shell else {call.argument}
    for rule in rules:
        pattern = rule.of_argument
        if pattern.anything or (pattern.exact and pattern.pieces[0] in whole):
            return (str(rule),)
    own = call.shell and not any(
        own_program.may_rebind(part) for spellings in texts.parts for part in spellings
    )
    found = [_first(rules, spellings, own=own) for spellings in texts.parts]
    return tuple(found) if all(found) else ()


def _first(rules: Sequence[Rule], spellings: Sequence[str], *, own: bool) -> str:
    """The first rule that allows one part; `own`: `ao` is the agent's own there."""
    for rule in rules:
        if any(map(rule.of_argument.matches, spellings)):
            return str(rule)
    return own_program.RULE if own and all(map(own_program.is_call, spellings)) else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptRule:
    """A rule that a person added by answering "Allow always"."""

    id: str
    scope: str
    """`project:<id>` or `session:<id>`."""
    rule: str
    """What is allowed, as it would stand in the configuration."""
    by: str
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Remembered:
    """An answer that holds for every session of a project with one agent: whether its folder is trusted."""

    id: str
    project: str
    agent: str
    dialog: str
    """The kind of dialog: what stands before the colon in its id."""
    answer: str
    by: str
    at: float


def kind_of_dialog(dialog_id: str) -> str:
    """What is asked, without the part that changes from one time to the next."""
    return dialog_id.partition(":")[0]


def scope_words(scope: str) -> str:
    """`project:demo` as people are told of it."""
    kind, _, name = scope.partition(":")
    return f"in {kind} {name}"


def kept_for(kept: Sequence[KeptRule], scopes: Sequence[str]) -> Iterator[Rule]:
    """The rules that hold in any of these scopes."""
    return (parse(Verdict.ALLOW, one.rule) for one in kept if one.scope in scopes)
