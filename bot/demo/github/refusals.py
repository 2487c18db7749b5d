"""How the fake GitHub says no: status, message and headers as GitHub gives them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Json = dict[str, Any]
ISSUE, LABEL, PULL, HOOK, REF = "Issue", "Label", "PullRequest", "Hook", "Reference"
"""Resources, as 422 names them."""
DOCUMENTATION = "https://docs.github.com/rest"


class Refused(Exception):
    """An answer that is an error. `errors` is GitHub's list of details (422)."""

    def __init__(
        self, status: int, message: str, *, errors: object = None, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.errors = errors
        self.headers = dict(headers or {})

    @property
    def body(self) -> Json:
        """As JSON."""
        more = {} if self.errors is None else {"errors": self.errors}
        return {
            "message": self.message,
            **more,
            "documentation_url": DOCUMENTATION,
            "status": str(self.status),
        }


def not_found() -> Refused:
    """What is not there, and what this caller may not know of."""
    return Refused(404, "Not Found")


def invalid(resource: str, field: str, code: str = "invalid", message: str = "") -> Refused:
    """422 for a field."""
    error = {"resource": resource, "code": code, "field": field}
    return Refused(422, "Validation Failed", errors=[error | ({"message": message} if message else {})])


class CannotDo(Exception):
    """The control was asked for what is not possible; the text says why."""
