"""Forms of our pages, as they are sent."""

from __future__ import annotations

from urllib.parse import parse_qsl

from starlette.requests import Request as HttpRequest

from orchestrator.errors import BadInput


async def form(http: HttpRequest) -> dict[str, str]:
    """The fields of a form. Raises `BadInput` for one that is not ours."""
    try:
        return dict(parse_qsl((await http.body()).decode(), keep_blank_values=True, max_num_fields=20))
    except ValueError as error:
        msg = "this form cannot be read."
        raise BadInput(msg) from error
