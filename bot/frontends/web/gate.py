"""Who is at the door: logging in by a link that works once, the cookie, and which requests may change anything."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection
from starlette.requests import Request as HttpRequest
from starlette.responses import HTMLResponse, RedirectResponse, Response

from bot.frontends.web.assets import Assets
from bot.frontends.web.templates import Templates
from orchestrator.domain.person import OWNER, Actor, ActorKind
from orchestrator.services.console import Door
from orchestrator.storage.logins import LONGEST, Login, Logins

CONTENT_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""No inline script or style, nothing from elsewhere."""
HEADERS = {
    "Content-Security-Policy": CONTENT_POLICY,
    "Cache-Control": "no-store",
    # Not `no-referrer`: a browser would then send `Origin: null` with a form.
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
Handler = Callable[[HttpRequest, "Visitor"], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Visitor:
    """Whose browser it is."""

    login: Login
    actor: Actor


class Gate:
    """Lets browsers in."""

    def __init__(
        self,
        *,
        door: Door,
        logins: Logins,
        now: Callable[[], float],
        templates: Templates,
        assets: Assets,
        home: str,
    ) -> None:
        self._door = door
        self._logins = logins
        self._now = now
        self._templates = templates
        self._assets = assets
        # Cookies know no ports: two consoles on one machine need two names.
        self.cookie = f"ao_{hashlib.sha256(home.encode()).hexdigest()[:8]}"

    def page(
        self,
        name: str,
        values: Mapping[str, object],
        status: int = 200,
        headers: Mapping[str, str] = HEADERS,
    ) -> HTMLResponse:
        """A template as a response."""
        text = self._templates.render(name, {"asset": self._assets.path, **values})
        return HTMLResponse(text, status_code=status, headers=headers)

    async def visitor(self, http: HTTPConnection) -> Visitor | None:
        """Whose browser it is; None where it is not logged in."""
        token = http.cookies.get(self.cookie, "")
        login = await self._logins.find(token, self._now()) if token else None
        if login is None:
            return None
        if login.owner:
            actor = Actor(kind=OWNER.kind, name=OWNER.name, via="web")
        else:
            actor = Actor(kind=ActorKind.PERSON, name=login.name, via="web")
        return Visitor(login, actor)

    def let_in(self, handler: Handler) -> Callable[[HttpRequest], Awaitable[Response]]:
        """A handler for those who are logged in; others see how to log in."""

        async def guarded(http: HttpRequest) -> Response:
            if http.method == "POST" and not self.own(http):
                return self._refused()
            found = await self.visitor(http)
            if found is not None:
                return await handler(http, found)
            if http.method == "GET" and http.headers.get("Sec-Fetch-Site") == "cross-site":
                # A SameSite=Strict cookie does not come along from a link in a chat; from our own page it does.
                return self.page("again.html", {"path": _path(http)})
            # A part of a page that is open stays as it is: its script says that one has to log in.
            kept = {"HX-Reswap": "none"} if "HX-Request" in http.headers else {}
            return self.page("outside.html", {}, 401, {**HEADERS, **kept})

        return guarded

    def own(self, http: HTTPConnection) -> bool:
        """Whether a page of ours sent this. Browsers always say so; who says nothing is refused."""
        site = http.headers.get("Sec-Fetch-Site")
        origin = http.headers.get("Origin")
        if origin is None and site is None:
            return False
        if site is not None and site != "same-origin":
            return False
        return origin is None or _same_origin(origin, http)

    async def show(self, http: HttpRequest) -> Response:
        """The page behind a login link. Looking at it uses nothing up: link previews do that."""
        code = http.path_params["code"]
        who = self._door.whose(code, self._now())
        if who is None:
            return self.page("outside.html", {"used": True}, 410)
        return self.page("login.html", {"code": code, "who": str(who)})

    async def enter(self, http: HttpRequest) -> Response:
        """The button on that page."""
        if not self.own(http):
            return self._refused()
        who = self._door.take(http.path_params["code"], self._now())
        if who is None:
            return self.page("outside.html", {"used": True}, 410)
        owner = who.kind is ActorKind.OWNER
        token = await self._logins.make(who.name, owner=owner, now=self._now())
        answer = RedirectResponse("/", status_code=303, headers=HEADERS)
        answer.set_cookie(
            self.cookie,
            token,
            max_age=int(LONGEST),
            httponly=True,
            samesite="strict",
            secure=self._door.address.startswith("https://"),
        )
        return answer

    async def leave(self, http: HttpRequest, visitor: Visitor) -> Response:
        """Log this browser out."""
        del visitor
        await self._logins.end(http.cookies.get(self.cookie, ""))
        answer = RedirectResponse("/", status_code=303, headers=HEADERS)
        answer.delete_cookie(self.cookie)
        return answer

    def _refused(self) -> Response:
        values = {"title": "Refused", "lines": ["This was sent from another page than the console's own."]}
        return self.page("plain.html", values, 403)


def _same_origin(origin: str, http: HTTPConnection) -> bool:
    """Whether an `Origin` names the host that was asked; which hosts are ours the server has checked."""
    return urlsplit(origin).netloc == http.headers.get("Host", "") != ""


def _path(http: HttpRequest) -> str:
    return f"{http.url.path}?{http.url.query}" if http.url.query else http.url.path
