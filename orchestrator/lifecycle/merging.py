"""The kept intent to merge: asked for, begun, taken back. Pure.

Until the forge was asked it is taken back at once. From then on nobody knows whether it came through:
it is only marked, and the pull request is looked at before anybody says that it was taken back.
Where the forge merges in its turn, the intent stays open until looks show what became of it.
"""

from __future__ import annotations

from dataclasses import replace

from orchestrator.domain.event import Level
from orchestrator.domain.ids import short_sha
from orchestrator.domain.pull_request import Checks, Mergeable, PullRequestState
from orchestrator.domain.rules import Rules
from orchestrator.domain.session import Intent, Session
from orchestrator.lifecycle import changes
from orchestrator.lifecycle.draft import Draft

KEY = "merge"
RULE = "approved-and-green"
"""The reaction that merges by itself."""
BY_RULE = f"reaction {RULE}"
"""Who asked, where that reaction did. No person has a name with a space."""
_BEGUN = "begun"
_VIA = "via"
_TAKEN_BACK = "taken_back"
_QUEUED = "queued"
_SEEN = "queue_seen"
_AS = "as"
SHOWN_WITHIN = 120.0
"""Seconds in which a look must show that the forge has it queued; later it is taken for dropped."""


def ask(draft: Draft, head: str, *, by: str, via: str = "") -> None:
    """Keep the intent to merge at that head; `act` carries it out and keeps the outcome. `via`: the surface."""
    draft.open_intent(KEY, head=head, by=by, **({_VIA: via} if via else {}))
    draft.tell("merge.asked", f"{by} merges {short_sha(head)}", head=head, by=by)


def intent_of(session: Session) -> Intent | None:
    """The open intent to merge."""
    return next((i for i in session.intents if i.key == KEY), None)


def keep_who(draft: Draft, intent: Intent | None, as_: str = "") -> None:
    """It came through: keep who asked for it, and where; `as_`: with whose rights on the forge."""
    if intent is not None:
        changes.merged_by(draft, intent.data.get("by", ""), intent.data.get(_VIA, ""), as_)


def check_rights(draft: Draft, rules: Rules) -> None:
    """Before it is carried out: refuse in words what whoever asked may not do any more, person or rule."""
    intent, change = intent_of(draft.session), draft.session.change
    if intent is None or change is None or taken_back_by(intent) or rules.approvers is None:
        return
    by, head = intent.data.get("by", ""), intent.data["head"]
    why = ""
    if by != BY_RULE and by.lower() not in rules.approvers:
        why = f"{by} may not merge in {draft.session.project} now, which needs the role approver there"
    elif not changes.approved(change, rules):
        why = "its approvals do not suffice any more"
    if why:
        draft.tell("merge.refused", f"{short_sha(head)} is not merged: {why}", Level.ACTION, head=head)
        take_back(draft, by="ao")


def begin(draft: Draft, head: str) -> None:
    """The forge is asked next: from now on it may come through."""
    intent = intent_of(draft.session)
    if intent is not None and intent.data["head"] == head and _BEGUN not in intent.data:
        draft.open_intent(KEY, **intent.data, **{_BEGUN: "yes"})


def may_begin(intent: Intent | None, head: str) -> bool:
    """Whether the forge is still to be asked for a merge at that head."""
    if intent is None or intent.data["head"] != head:
        return False
    return not taken_back_by(intent) and not queued_words(intent)


def queue(draft: Draft, head: str, words: str, as_: str = "") -> None:
    """The forge merges it in its turn, and says where it waits. `as_`: a person's name there, if as theirs."""
    intent = intent_of(draft.session)
    if intent is None or intent.data["head"] != head or queued_words(intent):
        return
    draft.open_intent(KEY, **intent.data, **{_QUEUED: words}, **({_AS: as_} if as_ else {}))
    draft.tell("merge.queued", f"{short_sha(head)} is {words}", head=head)


def queued_words(intent: Intent) -> str:
    """Where the forge has it waiting; empty where it does not."""
    return intent.data.get(_QUEUED, "")


def follow(draft: Draft) -> None:
    """What the newest look says of a merge that the forge makes in its turn.

    What was clicked is merged at that head or not at all: another head, red checks or a conflict take it
    out of the queue.
    """
    intent, change = intent_of(draft.session), draft.session.change
    if intent is None or change is None or not queued_words(intent) or taken_back_by(intent):
        return
    pr, head = change.pr, intent.data["head"]
    if pr.state is PullRequestState.MERGED:
        draft.close_intent(KEY)
        keep_who(draft, intent, intent.data.get(_AS, ""))
    elif pr.head != head or pr.checks is Checks.FAILING or pr.mergeable is Mergeable.CONFLICTED:
        take_back(draft, by="ao")
    elif pr.queued:
        if _SEEN not in intent.data:
            _note(draft, intent, _SEEN, "yes")
    elif _SEEN in intent.data or draft.now - intent.at > SHOWN_WITHIN:
        draft.close_intent(KEY)
        _may_ask_again(draft)
        text = f"{short_sha(head)} is not {queued_words(intent)} any more, and not merged"
        draft.tell("merge.dropped", text, Level.ACTION, head=head)


def _note(draft: Draft, intent: Intent, key: str, value: str) -> None:
    """One more word in the intent, whose time stays."""
    noted = replace(intent, data={**intent.data, key: value})
    draft.set(intents=tuple(noted if i.key == KEY else i for i in draft.session.intents))


def taken_back_by(intent: Intent) -> str:
    """Who took it back after it had begun; empty where nobody did."""
    return intent.data.get(_TAKEN_BACK, "")


def take_back(draft: Draft, *, by: str) -> None:
    """Nobody is to merge: end the intent, or have it looked up first where it has begun."""
    intent = intent_of(draft.session)
    if intent is None or taken_back_by(intent):
        return
    if _BEGUN in intent.data:
        draft.open_intent(KEY, **intent.data, **{_TAKEN_BACK: by})
    else:
        end(draft, intent, by=by)


def end(draft: Draft, intent: Intent, *, by: str) -> None:
    """It did not come through and will not. A rule may ask for that head again once it may merge."""
    draft.close_intent(KEY)
    _may_ask_again(draft)
    head = intent.data["head"]
    draft.tell("merge.taken_back", f"{by} took the merge of {short_sha(head)} back", head=head, by=by)


def _may_ask_again(draft: Draft) -> None:
    draft.set(attempts=tuple(a for a in draft.session.attempts if a.key != RULE))
