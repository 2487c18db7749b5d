"""Deliveries of GitHub's webhooks: whether one is genuine, and what it is about. Pure.

Events and payloads as in "Webhook events and payloads", signatures as in "Validating webhook deliveries" of
GitHub's documentation. A payload is outside data: whatever is missing or of another kind is not there.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

from orchestrator.errors import BadInput, NotAllowed

EVENTS = (
    "branch_protection_rule",
    "check_run",
    "check_suite",
    "create",
    "delete",
    "issue_comment",
    "issues",
    "label",
    "merge_group",
    "pull_request",
    "pull_request_review",
    "pull_request_review_comment",
    "pull_request_review_thread",
    "push",
    "repository",
    "repository_ruleset",
    "status",
    "workflow_job",
    "workflow_run",
)
"""What our hook asks for."""
SIGNATURE = "x-hub-signature-256"
EVENT = "x-github-event"
DELIVERY = "x-github-delivery"

Payload = Mapping[str, Any]
_SIGNED = re.compile(r"sha256=([0-9a-f]{64})")
_NAME = re.compile(r"[a-z_0-9]{1,60}")
_ID = re.compile(r"[A-Za-z0-9-]{8,64}")
_HEADS = "refs/heads/"
_QUEUE = re.compile(r"gh-readonly-queue/.*/pr-([0-9]{1,9})-[0-9a-f]{7,64}")
"""The branch that a merge queue makes for a pull request."""
_SHA = re.compile(r"[0-9a-f]{40,64}")
_PROGRESS: Mapping[str, frozenset[str]] = {
    "check_run": frozenset({"created"}),
    "check_suite": frozenset({"requested"}),
    "workflow_job": frozenset({"queued", "waiting", "in_progress"}),
    "workflow_run": frozenset({"requested", "in_progress"}),
}
"""Actions that tell of no outcome."""


@dataclass(slots=True)
class Delivery:
    """What one delivery tells of."""

    id: str
    event: str
    repository: str = ""
    """`owner/name` as it is now."""
    repository_id: int = 0
    was: str = ""
    """`owner/name` before it was renamed or moved."""
    pulls: set[int] = field(default_factory=set)
    branches: set[str] = field(default_factory=set)
    """A fork's branches have nothing to do with ours of the same name and are left out where they are told apart."""
    heads: set[str] = field(default_factory=set)
    """Full SHAs."""
    issues: set[int] = field(default_factory=set)
    bases: set[str] = field(default_factory=set)
    """Branches that moved: what is to be merged into them may be behind, or in conflict, now."""
    queue: bool = False
    """Issues or labels changed."""
    progress: bool = False
    """Checks come or begin to run: nobody waits for that, and much of it comes at once."""
    wide: bool = False
    """The repository itself or its rules changed: all that is known of it may be old."""


def check_signature(body: bytes, signature: str, secrets: Sequence[str]) -> None:
    """See that one of the secrets signed the raw body. Raises `NotAllowed`, always where there is no secret."""
    usable = [secret for secret in secrets if secret]
    if not usable:
        msg = "no secret is configured, so nobody can have signed it."
        raise NotAllowed(msg, next_step="`ao github webhook install` makes one; or set `webhooks.secretEnv`.")
    found = _SIGNED.fullmatch(signature.strip())
    if found is None:
        msg = "it carries no SHA-256 signature."
        raise NotAllowed(msg, next_step="Give the hook a secret: `ao github webhook install`.")
    # Every secret is tried in any case: how long it takes says nothing.
    fits = [
        hmac.compare_digest(hmac.new(secret.encode(), body, hashlib.sha256).hexdigest(), found[1])
        for secret in usable
    ]
    if not any(fits):
        msg = "its signature is of another secret."
        raise NotAllowed(msg, next_step="`ao github webhook install` gives the hook our secret.")


def parse(event: str, delivery: str, body: bytes, content_type: str = "") -> Delivery:
    """What a genuine delivery tells. Raises `BadInput`; an event that we do not know tells nothing."""
    payload = _payload(body, content_type)
    name = event.strip() if _NAME.fullmatch(event.strip()) else "other"
    found = Delivery(
        id=delivery if _ID.fullmatch(delivery) else f"sha256-{hashlib.sha256(body).hexdigest()}", event=name
    )
    repository = _mapping(payload, "repository")
    found.repository, found.repository_id = _text(repository, "full_name"), _number(repository, "id")
    reader = _READERS.get(name)
    if reader is not None:
        reader(found, payload)
    found.progress = _is_progress(name, payload)
    return found


def _is_progress(event: str, payload: Payload) -> bool:
    if event == "status":
        return _text(payload, "state") == "pending"
    # A check that an App reports when it is over is created with its conclusion.
    ended = _text(_mapping(payload, event), "conclusion") or _text(_mapping(payload, event), "completed_at")
    return not ended and _text(payload, "action") in _PROGRESS.get(event, ())


def _payload(body: bytes, content_type: str) -> Payload:
    try:
        text = body.decode()
        if content_type.partition(";")[0].strip().lower() == "application/x-www-form-urlencoded":
            text = parse_qs(text, max_num_fields=4).get("payload", [""])[0]
        payload = json.loads(text)
    except (ValueError, RecursionError) as error:
        msg = f"its body cannot be read ({type(error).__name__})."
        raise BadInput(msg) from None
    if not isinstance(payload, dict):
        msg = "its body is no JSON object."
        raise BadInput(msg)
    return payload


# What each event tells --------------------------------------------------------------------------------


def _pull_request(found: Delivery, payload: Payload) -> None:
    _pull(found, _mapping(payload, "pull_request"))
    found.pulls |= _numbers(payload, "number")
    found.heads |= _shas(payload, "before", "after")
    found.heads |= _shas(_mapping(payload, "review"), "commit_id")
    found.heads |= _shas(_mapping(payload, "comment"), "commit_id")


def _issue_comment(found: Delivery, payload: Payload) -> None:
    issue = _mapping(payload, "issue")
    if _mapping(issue, "pull_request"):
        found.pulls |= _numbers(issue, "number")
    else:
        _issues(found, payload)


def _issues(found: Delivery, payload: Payload) -> None:
    found.issues |= _numbers(_mapping(payload, "issue"), "number")
    found.queue = True


def _label(found: Delivery, payload: Payload) -> None:
    del payload
    found.queue = True


def _check_run(found: Delivery, payload: Payload) -> None:
    run = _mapping(payload, "check_run")
    _checked(found, run)
    _checked(found, _mapping(run, "check_suite"))
    _deployed(found, run)


def _check_suite(found: Delivery, payload: Payload) -> None:
    _checked(found, _mapping(payload, "check_suite"))


def _status(found: Delivery, payload: Payload) -> None:
    found.heads |= _shas(payload, "sha")
    found.branches |= {name for row in _rows(payload, "branches") if (name := _text(row, "name"))}


def _workflow_run(found: Delivery, payload: Payload) -> None:
    _checked(found, _mapping(payload, "workflow_run"))


def _workflow_job(found: Delivery, payload: Payload) -> None:
    _checked(found, _mapping(payload, "workflow_job"))
    _deployed(found, payload)


def _push(found: Delivery, payload: Payload) -> None:
    ref = _text(payload, "ref")
    found.heads |= _shas(payload, "before", "after")
    if ref.startswith(_HEADS):
        found.branches.add(ref.removeprefix(_HEADS))
        found.bases.add(ref.removeprefix(_HEADS))


def _branch(found: Delivery, payload: Payload) -> None:
    if _text(payload, "ref_type") == "branch" and (ref := _text(payload, "ref")):
        found.branches.add(ref)


def _merge_group(found: Delivery, payload: Payload) -> None:
    group = _mapping(payload, "merge_group")
    found.heads |= _shas(group, "head_sha")
    queued = _QUEUE.fullmatch(_text(group, "head_ref").removeprefix(_HEADS))
    if queued is not None:
        found.pulls.add(int(queued[1]))


def _commit(found: Delivery, payload: Payload) -> None:
    found.heads |= _shas(_mapping(payload, "comment"), "commit_id")


def _deployment(found: Delivery, payload: Payload) -> None:
    _deployed(found, payload)
    for name in ("check_run", "workflow_run"):
        _checked(found, _mapping(payload, name))


def _rules(found: Delivery, payload: Payload) -> None:
    del payload
    found.wide = True


def _repository(found: Delivery, payload: Payload) -> None:
    found.wide = True
    owner, _, name = found.repository.partition("/")
    changes = _mapping(payload, "changes")
    old_name = _text(_mapping(_mapping(changes, "repository"), "name"), "from")
    old = _mapping(_mapping(changes, "owner"), "from")
    old_owner = _text(_mapping(old, "user"), "login") or _text(_mapping(old, "organization"), "login")
    if old_name or old_owner:
        found.was = f"{old_owner or owner}/{old_name or name}"


_READERS: Mapping[str, Callable[[Delivery, Payload], None]] = {
    "branch_protection_configuration": _rules,
    "branch_protection_rule": _rules,
    "check_run": _check_run,
    "check_suite": _check_suite,
    "commit_comment": _commit,
    "create": _branch,
    "delete": _branch,
    "deployment": _deployment,
    "deployment_status": _deployment,
    "issue_comment": _issue_comment,
    "issues": _issues,
    "label": _label,
    "merge_group": _merge_group,
    "pull_request": _pull_request,
    "pull_request_review": _pull_request,
    "pull_request_review_comment": _pull_request,
    "pull_request_review_thread": _pull_request,
    "push": _push,
    "repository": _repository,
    "repository_ruleset": _rules,
    "status": _status,
    "workflow_job": _workflow_job,
    "workflow_run": _workflow_run,
}


# Parts that several events have -----------------------------------------------------------------------


def _pull(found: Delivery, pull: Payload) -> None:
    found.pulls |= _numbers(pull, "number")
    head = _mapping(pull, "head")
    found.heads |= _shas(head, "sha")
    if (ref := _text(head, "ref")) and not _is_foreign(found, _mapping(head, "repo")):
        found.branches.add(ref)


def _checked(found: Delivery, checked: Payload) -> None:
    """A check, a suite, a workflow's run or job: a head, its branch, and pull requests where GitHub knows them.

    They may be of a fork; then a session is looked at once more than needed.
    """
    found.heads |= _shas(checked, "head_sha", "before", "after")
    if branch := _text(checked, "head_branch"):
        found.branches.add(branch)
    for pull in _rows(checked, "pull_requests"):
        _pull(found, pull)


def _deployed(found: Delivery, payload: Payload) -> None:
    deployment = _mapping(payload, "deployment")
    found.heads |= _shas(deployment, "sha")
    ref = _text(deployment, "ref")
    if ref and not _SHA.fullmatch(ref):
        found.branches.add(ref.removeprefix(_HEADS))


def _is_foreign(found: Delivery, repository: Payload) -> bool:
    other = _number(repository, "id")
    return bool(other and found.repository_id and other != found.repository_id)


def _mapping(payload: Payload, key: str) -> Payload:
    value = payload.get(key)
    return value if isinstance(value, dict) else {}


def _rows(payload: Payload, key: str) -> Iterator[Payload]:
    value = payload.get(key)
    return (row for row in value if isinstance(row, dict)) if isinstance(value, list) else iter(())


def _text(payload: Payload, key: str) -> str:
    value = payload.get(key)
    return value if isinstance(value, str) else ""


def _number(payload: Payload, key: str) -> int:
    value = payload.get(key)
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0


def _numbers(payload: Payload, key: str) -> set[int]:
    number = _number(payload, key)
    return {number} if number else set()


def _shas(payload: Payload, *keys: str) -> set[str]:
    """Full SHAs at these keys; all zeros stand for a commit that is not there."""
    found = (_text(payload, key).lower() for key in keys)
    return {sha for sha in found if _SHA.fullmatch(sha) and sha.strip("0")}
