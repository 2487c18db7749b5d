"""Signing a person in by device flow, and refreshing the token.

https://docs.github.com/en/apps/oauth-apps/building-oauth-apps/authorizing-oauth-apps#device-flow
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field

from bot.demo.github.access import Access, App, Token
from bot.demo.github.model import User
from bot.demo.github.refusals import CannotDo, Json
from bot.demo.github.world import World

CODE_LASTS = 900.0
TOKEN_LASTS = 8 * 3600.0
REFRESH_LASTS = 15_897_600.0
INTERVAL = 5.0
_DEVICE = "urn:ietf:params:oauth:grant-type:device_code"
_LETTERS = "BCDFGHJKLMNPQRSTVWXZ"


@dataclass(slots=True, eq=False)
class _Waiting:
    app: App
    scopes: tuple[str, ...]
    user_code: str
    until: float
    interval: float = INTERVAL
    asked_at: float | None = None
    user: User | None = None
    denied: bool = False


@dataclass(slots=True, eq=False)
class _Refresh:
    app: App
    user: User
    until: float
    token: Token


@dataclass(slots=True)
class Devices:
    """Codes that wait, and refresh tokens."""

    world: World
    access: Access
    _waiting: dict[str, _Waiting] = field(default_factory=dict)
    """By device code."""
    _refresh: dict[str, _Refresh] = field(default_factory=dict)

    def code(self, given: Mapping[str, str]) -> Json:
        """`POST /login/device/code`."""
        app = self._app(given)
        if app is None:
            return {
                "error": "incorrect_client_credentials",
                "error_description": "The client_id is not valid.",
            }
        if not app.device_flow:
            return {
                "error": "device_flow_disabled",
                "error_description": "Device Flow is not enabled for this App.",
            }
        letters = "".join(secrets.choice(_LETTERS) for _ in range(8))
        device_code, user_code = secrets.token_hex(20), f"{letters[:4]}-{letters[4:]}"
        scopes = tuple(given.get("scope", "").replace(",", " ").split())
        self._waiting[device_code] = _Waiting(app, scopes, user_code, self.world.now + CODE_LASTS)
        return {
            "device_code": device_code, "user_code": user_code, "expires_in": int(CODE_LASTS),
            "interval": int(INTERVAL), "verification_uri": self.world.page("/login/device"),
        }  # fmt: skip

    def decide(self, user_code: str, login: str, *, allow: bool = True) -> None:
        """A person typed the code in the browser. Raises `CannotDo`."""
        wanted = user_code.strip().upper()
        for waiting in self._waiting.values():
            if waiting.user_code == wanted and waiting.until > self.world.now:
                waiting.user, waiting.denied = self.world.user(login), not allow
                return
        msg = f"Nothing waits for the code {wanted}."
        raise CannotDo(msg)

    def token(self, given: Mapping[str, str]) -> Json:
        """`POST /login/oauth/access_token`; errors come with status 200, as on GitHub."""
        app = self._app(given)
        if app is None:
            return {"error": "incorrect_client_credentials"}
        if given.get("grant_type") == "refresh_token":
            return self._renew(app, given.get("refresh_token", ""))
        if given.get("grant_type") != _DEVICE:
            return {"error": "unsupported_grant_type"}
        waiting = self._waiting.get(given.get("device_code", ""))
        if waiting is None or waiting.app is not app:
            return {"error": "incorrect_device_code"}
        return self._of_device(given["device_code"], waiting)

    def _of_device(self, device_code: str, waiting: _Waiting) -> Json:
        now = self.world.now
        if waiting.until <= now:
            return {"error": "expired_token"}
        before, waiting.asked_at = waiting.asked_at, now
        if before is not None and now - before < waiting.interval - 0.5:
            waiting.interval += 5
            return {"error": "slow_down", "interval": int(waiting.interval)}
        if waiting.denied:
            return {"error": "access_denied"}
        if waiting.user is None:
            return {"error": "authorization_pending"}
        del self._waiting[device_code]
        return self._new(waiting.app, waiting.user, waiting.scopes)

    def _renew(self, app: App, value: str) -> Json:
        found = self._refresh.pop(value, None)  # each serves once
        if found is None or found.app is not app or found.until <= self.world.now:
            return {"error": "bad_refresh_token"}
        found.token.revoked = True
        return self._new(app, found.user, ())

    def _new(self, app: App, user: User, scopes: tuple[str, ...]) -> Json:
        now, value = self.world.now, secrets.token_hex(18)
        if app.is_oauth:
            self.access.add_token(Token(f"gho_{value}", user, scopes=scopes, app=app))
            return {"access_token": f"gho_{value}", "token_type": "bearer", "scope": ",".join(scopes)}
        made = Token(f"ghu_{value}", user, permissions=app.permissions, app=app, expires_at=now + TOKEN_LASTS)
        refresh = f"ghr_{secrets.token_hex(38)}"
        self._refresh[refresh] = _Refresh(app, user, now + REFRESH_LASTS, self.access.add_token(made))
        return {
            "access_token": made.value, "expires_in": int(TOKEN_LASTS), "refresh_token": refresh,
            "refresh_token_expires_in": int(REFRESH_LASTS), "token_type": "bearer", "scope": "",
        }  # fmt: skip

    def _app(self, given: Mapping[str, str]) -> App | None:
        wanted = given.get("client_id")
        return next((app for app in self.access.apps.values() if app.client_id == wanted), None)
