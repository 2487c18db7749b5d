"""Who calls, and what they may do: tokens, Apps and their installations, scopes and permissions."""

from __future__ import annotations

import base64
import binascii
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field

from bot.demo.github.model import ROLES, Repository, User
from bot.demo.github.refusals import Json, Refused, not_found
from bot.demo.github.world import World

HOUR = 3600.0
_NEVER_PUBLIC = {"administration", "repository_hooks", "secrets"}
"""Permissions without which a token reads nothing, in a public repository either."""
_LEVELS = ("none", "read", "write", "admin")
Need = tuple[str, str]
"""A permission of fine-grained tokens and Apps, and its level."""


@dataclass(slots=True, eq=False)
class App:
    """A GitHub App."""

    id: int
    slug: str
    owner: User
    bot: User
    client_id: str
    public_key: str
    """PEM, by which its JWTs are checked; empty: any is taken."""
    permissions: dict[str, str]
    device_flow: bool = True
    is_oauth: bool = False
    """An OAuth App: its tokens have scopes and do not expire."""


@dataclass(slots=True, eq=False)
class Installation:
    """An App on an account."""

    id: int
    app: App
    account: User
    permissions: dict[str, str]
    repositories: set[int] | None = None
    """None: all of the account."""


@dataclass(slots=True, eq=False)
class Token:
    """A token: classic with scopes, or with permissions."""

    value: str
    user: User | None
    scopes: tuple[str, ...] | None = None
    """Of a classic token; None: `permissions` count."""
    permissions: dict[str, str] = field(default_factory=dict)
    repositories: set[int] | None = None
    expires_at: float | None = None
    installation: Installation | None = None
    app: App | None = None
    revoked: bool = False


@dataclass(frozen=True, slots=True)
class Who:
    """The caller of one request."""

    user: User | None = None
    token: Token | None = None
    app: App | None = None
    """Set for a JWT, which may ask about the App alone."""

    @property
    def is_nobody(self) -> bool:
        """No token at all."""
        return self.user is None and self.token is None and self.app is None

    @property
    def is_installation(self) -> bool:
        """A token of an App's installation."""
        return self.token is not None and self.token.installation is not None

    @property
    def login(self) -> str:
        """For messages."""
        return self.user.login if self.user else "anonymous"

    @property
    def key(self) -> str:
        """Whose rate limit it is."""
        if self.token and self.token.installation:
            return f"installation {self.token.installation.id}"
        if self.app:
            return f"app {self.app.id}"
        return f"user {self.user.login}" if self.user else "nobody"


@dataclass(slots=True)
class Access:
    """All tokens and Apps."""

    world: World
    tokens: dict[str, Token] = field(default_factory=dict)
    apps: dict[int, App] = field(default_factory=dict)
    installations: dict[int, Installation] = field(default_factory=dict)

    def add_token(self, token: Token) -> Token:
        """Known from now on."""
        self.tokens[token.value] = token
        return token

    def new_token(
        self, login: str, *, scopes: tuple[str, ...] | None = None,
        permissions: Mapping[str, str] | None = None, expires_in: float | None = None,
        repositories: set[int] | None = None,
    ) -> Token:  # fmt: skip
        """A person's token; classic with scope `repo` where nothing is said."""
        classic = permissions is None
        value = ("ghp_" if classic else "github_pat_") + secrets.token_hex(18)
        made = Token(
            value, self.world.add_user(login), repositories=repositories,
            scopes=(("repo",) if scopes is None else scopes) if classic else None,
            permissions=dict(permissions or {}),
            expires_at=None if expires_in is None else self.world.now + expires_in,
        )  # fmt: skip
        return self.add_token(made)

    def new_app(self, slug: str, owner: str, permissions: Mapping[str, str], public_key: str = "") -> App:
        """A GitHub App, with its bot."""
        number = self.world.number()
        bot = self.world.add_user(f"{slug}[bot]", "Bot")
        client = f"Iv23li{secrets.token_hex(7)}"
        app = App(number, slug, self.world.add_user(owner), bot, client, public_key, dict(permissions))
        self.apps[number] = app
        return app

    def install(self, app: App, account: str, repositories: set[int] | None = None) -> Installation:
        """On an account, with what the App asks for."""
        number = self.world.number()
        where = self.world.add_user(account)
        made = Installation(number, app, where, dict(app.permissions), repositories)
        self.installations[number] = made
        return made

    def installation_token(self, installation: Installation, asked: Mapping[str, str] | None) -> Token:
        """Valid for an hour. Raises `Refused` where more is asked for than was granted."""
        granted = installation.permissions
        for name, level in (asked or {}).items():
            if _LEVELS.index(level) > _LEVELS.index(granted.get(name, "none")):
                raise Refused(422, "The permissions requested are not granted to this installation.")
        made = Token(
            f"ghs_{secrets.token_hex(18)}", installation.app.bot, installation=installation,
            app=installation.app, permissions=dict(asked or granted), repositories=installation.repositories,
            expires_at=self.world.now + HOUR,
        )  # fmt: skip
        return self.add_token(made)

    # Who is it?

    def of(self, header: str) -> Who:
        """By the Authorization header. Raises `Refused` (401)."""
        if not header:
            return Who()
        kind, _, value = header.partition(" ")
        if kind.lower() == "basic":
            value = _password(value)
        return self._of_token(value.strip())

    def of_git(self, header: str) -> Who:
        """The same, as git sends it: the token as the password."""
        return self.of(header)

    def _of_token(self, value: str) -> Who:
        if value.count(".") == 2:
            return Who(app=self._app_of(value))
        token = self.tokens.get(value)
        if token is None or token.revoked or (token.expires_at or self.world.now + 1) <= self.world.now:
            raise Refused(401, "Bad credentials")
        return Who(token.user, token)

    def _app_of(self, value: str) -> App:
        # PyJWT comes with PyGithub, which makes these tokens with it.
        import jwt

        try:
            said: Json = jwt.decode(value, options={"verify_signature": False})
            app = next(a for a in self.apps.values() if said.get("iss") in (str(a.id), a.id, a.client_id))
            if app.public_key:
                # Its times are checked below, by the clock of this server.
                jwt.decode(
                    value,
                    app.public_key,
                    algorithms=["RS256"],
                    options={"verify_exp": False, "verify_iat": False},
                )
        except (jwt.InvalidTokenError, StopIteration) as error:
            raise Refused(401, "A JSON web token could not be decoded") from error
        now = self.world.now
        if said.get("exp", 0) <= now:
            raise Refused(
                401, "'Expiration time' claim ('exp') must be a numeric value representing the future time"
            )
        if said.get("exp", 0) > now + 660 or said.get("iat", 0) > now + 60:
            raise Refused(401, "'Expiration time' claim ('exp') is too far in the future")
        return app

    # What may they do?

    def sees(self, who: Who, repo: Repository) -> bool:
        """Whether this repository exists for them."""
        if who.token and who.token.installation:
            return not repo.private or self.app_sees(who, repo)
        if who.token and who.token.scopes is not None and repo.private and "repo" not in who.token.scopes:
            return False
        if repo.private and not _selected(who.token, repo):
            return False
        return repo.role_of(who.user) != "none"

    def app_sees(self, who: Who, repo: Repository) -> bool:
        """Whether an installation has this repository."""
        installation = who.token.installation if who.token else None
        return installation is not None and installation.account is repo.owner and _selected(who.token, repo)

    def allows(self, who: Who, repo: Repository, name: str, level: str) -> bool:
        """Whether the token carries this permission for this repository; rights of the person not counted."""
        token = who.token
        if token is None:
            return level == "read" and not repo.private
        if token.scopes is not None:
            return _scoped(token.scopes, repo, name, level)
        if level == "read" and not repo.private and name not in _NEVER_PUBLIC:
            return True
        if not _selected(token, repo):
            return False
        granted = "read" if name == "metadata" else token.permissions.get(name, "none")
        return _LEVELS.index(granted) >= _LEVELS.index(level)

    def check(self, who: Who, repo: Repository, needs: tuple[Need, ...], role: str) -> None:
        """Raises `Refused`: 404 for what they may not know of, 403 for what they may not do."""
        if not self.sees(who, repo):
            raise not_found()
        if needs and not any(self.allows(who, repo, *need) for need in needs):
            raise _lacking(who, repo, needs)
        if who.is_installation:
            return
        if ROLES.index(repo.role_of(who.user)) < ROLES.index(role):
            if role == "admin":
                raise Refused(403, "Must have admin rights to Repository.")
            raise (
                Refused(403, "Must have push access to repository.")
                if who.user
                else Refused(401, "Requires authentication")
            )
        if who.is_nobody and any(level != "read" for _, level in needs):
            raise Refused(401, "Requires authentication")

    def headers(self, who: Who) -> dict[str, str]:
        """What each answer says of the token."""
        token = who.token
        if token is None:
            return {}
        said = {} if token.scopes is None else {"X-OAuth-Scopes": ", ".join(token.scopes)}
        if token.expires_at is not None and not token.installation:
            from bot.demo.github.world import iso

            when = str(iso(token.expires_at)).replace("T", " ").replace("Z", " UTC")
            said["github-authentication-token-expiration"] = when
        return said


def _password(value: str) -> str:
    try:
        name, _, password = base64.b64decode(value).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError) as error:
        raise Refused(401, "Bad credentials") from error
    return password if password not in {"", "x-oauth-basic"} else name


def _selected(token: Token | None, repo: Repository) -> bool:
    return token is None or token.repositories is None or repo.id in token.repositories


def scopes_for(repo: Repository, name: str, level: str) -> tuple[str, ...]:
    """Classic scopes of which any one is enough."""
    if name == "workflows":
        return ("workflow",)
    if name == "repository_hooks":
        return ("admin:repo_hook", "repo", *(("write:repo_hook",) if level == "write" else ()))
    if name == "statuses":
        return ("repo", "repo:status")
    return ("repo",) if repo.private else ("repo", "public_repo")


def _scoped(scopes: tuple[str, ...], repo: Repository, name: str, level: str) -> bool:
    if name == "checks" and level == "write":
        return False  # check runs are made by Apps alone
    if name == "secrets":
        return "repo" in scopes
    if level == "read" and not repo.private and name != "repository_hooks":
        return True
    return any(scope in scopes for scope in scopes_for(repo, name, level))


def _lacking(who: Who, repo: Repository, needs: tuple[Need, ...]) -> Refused:
    if who.is_nobody:
        return Refused(401, "Requires authentication")
    accepted = {"X-Accepted-GitHub-Permissions": "; ".join(f"{name}={level}" for name, level in needs)}
    if who.is_installation:
        return Refused(403, "Resource not accessible by integration", headers=accepted)
    if who.token and who.token.scopes is not None:
        if needs[0] == ("checks", "write"):
            return Refused(403, "You must authenticate via a GitHub App.", headers=accepted)
        scopes = ", ".join(sorted({s for name, level in needs for s in scopes_for(repo, name, level)}))
        return Refused(
            403,
            "Resource not accessible by personal access token",
            headers={"X-Accepted-OAuth-Scopes": scopes},
        )
    return Refused(403, "Resource not accessible by personal access token", headers=accepted)
