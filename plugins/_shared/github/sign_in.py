"""People sign in to GitHub by the device flow (RFC 8628), and we act as them.

What is typed where: docs.github.com, *Authorizing OAuth apps: device flow* and *Generating a user access
token for a GitHub App*. The client is a GitHub App's or an OAuth App's, with device flow switched on; no
secret of it is needed.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode

from typing_extensions import override

from orchestrator.domain.outside_text import one_line
from orchestrator.domain.project import Project
from orchestrator.errors import AoError, NotAllowed, NotReady, TemporaryError
from orchestrator.ports.scm import Credential, SignIn, SignsIn
from plugins._shared.github.access import AccessOptions, Somebody
from plugins._shared.github.client import GitHub, web_host
from plugins._shared.http_client import HttpClient

_LIMIT = 20.0
_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
_FORM = {"Accept": "application/json", "Content-Type": "application/x-www-form-urlencoded"}
_SCOPE = "repo"
"""For an OAuth App: reviews and merges, private repositories included. A GitHub App has its own permissions."""
_SLOWER = 5.0
"""Seconds that `slow_down` adds to the interval (RFC 8628, 3.5)."""
_LEAST = 1.0


class SignInOptions(AccessOptions):
    """What the scm's block says of people who act as themselves."""

    oauth_client_id: str = ""
    """Client id of a GitHub App or OAuth App with device flow on: with it people `link github`."""
    oauth_url: str = ""
    """Where people sign in, if not at the host of `apiUrl`: `https://github.com`."""


class GitHubSignIn(SignsIn):
    """The part of an scm that knows people. `reviewer`: a second identity reviews for those who are not linked."""

    def __init__(self, options: SignInOptions, now: Callable[[], float], *, reviewer: bool = False) -> None:
        self._api = options.api_url.rstrip("/")
        self._client = options.oauth_client_id
        self._web = (options.oauth_url or f"https://{web_host(self._api)}").rstrip("/")
        self._now = now
        self._reviewer = reviewer
        self._http = HttpClient(_LIMIT)

    @override
    def host(self, project: Project) -> str:
        del project
        return web_host(self._api)

    @override
    def counts_without_link(self, project: Project) -> bool:
        del project
        return self._reviewer

    @override
    async def begin_sign_in(self, project: Project) -> SignIn:
        if not self._client:
            msg = f"nobody can be linked to {web_host(self._api)}: the configuration names no client."
            raise NotReady(
                msg,
                next_step=f"Set `scm.oauthClientId` of {project.id} to the client id of a GitHub App with device flow on: docs/github.md.",
            )
        said = await self._post("/login/device/code", {"client_id": self._client, "scope": _SCOPE})
        if "device_code" not in said:
            raise self._refused(said, "no sign-in could be begun")
        return SignIn(
            url=one_line(str(said.get("verification_uri") or f"{self._web}/login/device"), 200),
            code=one_line(str(said.get("user_code", "")), 40),
            expires_at=self._now() + _seconds(said.get("expires_in"), 900.0),
            interval=max(_seconds(said.get("interval"), 5.0), _LEAST),
            secret=str(said["device_code"]),
        )

    @override
    async def finish_sign_in(self, project: Project, begun: SignIn) -> Credential | None:
        del project
        fields = {"client_id": self._client, "device_code": begun.secret, "grant_type": _GRANT}
        said = await self._post("/login/oauth/access_token", fields)
        error = said.get("error")
        if error == "authorization_pending":
            return None
        if error == "slow_down":
            wait = _seconds(said.get("interval"), begun.interval + _SLOWER)
            msg = f"{web_host(self._api)} asks us to ask more rarely."
            raise TemporaryError(msg, delay=wait)
        if "access_token" not in said:
            raise self._refused(said, "the sign-in was not finished")
        return await self._credential(said)

    @override
    async def renew(self, project: Project, credential: Credential) -> Credential:
        del project
        fields = {
            "client_id": self._client,
            "grant_type": "refresh_token",
            "refresh_token": credential.renewal,
        }
        said = await self._post("/login/oauth/access_token", fields)
        if "access_token" not in said:
            raise self._refused(said, f"the sign-in of {credential.login} could not be renewed")
        return self._of(said, credential.login)

    @override
    async def revoke(self, project: Project, credential: Credential) -> str:
        del project
        there = f"{self._web}/settings/apps/authorizations"
        left = f"Take the authorization away at {there}."
        tokens = [token for token in (credential.token, credential.renewal) if token]
        body = json.dumps({"credentials": tokens}).encode()
        try:
            # Without a credential of ours: GitHub refuses it with one (REST, credentials/revoke). Enterprise
            # Server takes back tokens of other kinds only.
            answer = await self._http.post(
                f"{self._api}/credentials/revoke", body, {"Content-Type": "application/json"}
            )
        except AoError:
            return left
        return "" if answer.status in {200, 202, 204} else left

    async def aclose(self) -> None:
        """Close the connections. Repeatable."""
        await self._http.close()

    async def _post(self, path: str, fields: Mapping[str, str]) -> Mapping[str, Any]:
        answer = await self._http.post(f"{self._web}{path}", urlencode(fields).encode(), _FORM)
        host = web_host(self._api)
        if answer.status == 404:
            msg = f"{host} knows no client {self._client}, or its device flow is off."
            raise NotReady(msg, next_step="*Enable Device Flow* in the App's settings: docs/github.md.")
        if answer.status >= 500 or answer.status == 429:
            msg = f"{host} does not sign anybody in now ({answer.status})."
            raise TemporaryError(msg)
        try:
            said = json.loads(answer.body)
        except ValueError:
            said = None
        if not isinstance(said, dict):
            msg = f"{host} answered a sign-in in a way that cannot be read ({answer.status})."
            raise TemporaryError(msg)
        return said

    def _refused(self, said: Mapping[str, Any], what: str) -> AoError:
        """RFC 8628, 3.5, and GitHub's own codes. Never GitHub's whole answer: tokens may stand in it."""
        error = one_line(str(said.get("error", "no reason was given")), 60)
        words = {
            "access_denied": "it was refused there",
            "expired_token": "the code was not used in time",
            "device_flow_disabled": "device flow is off for this client",
            "incorrect_client_credentials": f"{web_host(self._api)} knows no client {self._client}",
            "bad_refresh_token": "it was taken away there, or not used for six months",
        }.get(error, error)
        msg = f"{what}: {words}."
        if error in {"device_flow_disabled", "incorrect_client_credentials", "unsupported_grant_type"}:
            return NotReady(msg, next_step="*Enable Device Flow* in the App's settings: docs/github.md.")
        return NotAllowed(msg, next_step="`link github` begins anew.")

    async def _credential(self, said: Mapping[str, Any]) -> Credential:
        """With the name of whoever signed in, which only the token itself can tell."""
        hub = GitHub(self._api, Somebody(self._of(said, "")))
        try:
            answer = await hub.rest("GET", "/user")
        finally:
            await hub.close()
        login = answer.data.get("login") if isinstance(answer.data, dict) else ""
        if not login:
            msg = f"{web_host(self._api)} does not say who signed in."
            raise NotAllowed(msg, next_step="`link github` begins anew.")
        return self._of(said, one_line(str(login), 100))

    def _of(self, said: Mapping[str, Any], login: str) -> Credential:
        lasts = _seconds(said.get("expires_in"), 0.0)
        return Credential(
            login=login,
            token=str(said["access_token"]),
            expires_at=self._now() + lasts if lasts else 0.0,
            renewal=str(said.get("refresh_token") or ""),
        )


def _seconds(value: object, otherwise: float) -> float:
    """As GitHub writes them: a number, in older answers its text."""
    text = str(value if value is not None else "")
    return float(text) if text.isdigit() else otherwise
