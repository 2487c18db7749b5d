"""Who we are on GitHub: a token, an App, or a person; and one client for each, shared by tracker and scm.

    access = Access(options, context)                   # in a plugin; options inherit from AccessOptions
    hub = access.ours(project.repo)                     # as ourselves
    hub = access.person(credential)                     # as somebody who is linked
    env = await git_environment(hub, "https://github.com/o/r.git")     # for Git.at(env=…, protocols=("https",))
    await access.aclose()

Nothing is asked for before the first call: who cannot sign in learns it there, as `NotReady`.
"""

from __future__ import annotations

import base64
import hashlib
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from orchestrator.domain.outside_text import one_line
from orchestrator.errors import NotReady
from orchestrator.ports.account import AccountState
from orchestrator.ports.plugin import Field, Options, PluginContext, model_validator
from orchestrator.ports.scm import Credential
from plugins._shared.github.client import (
    PUBLIC,
    GitHub,
    Listener,
    app_auth,
    app_installation,
    token_auth,
    web_host,
)

if TYPE_CHECKING:
    from plugins._shared.github.client import Auth

TRUSTED = ("apiUrl", "tokenEnv", "app", "oauthUrl")
"""For `Plugin.runs_code`: where our credentials are sent, and which. They count once the file is trusted."""
TOKENS = ("GITHUB_TOKEN", "GH_TOKEN")
"""Variables with a token for github.com, the first that is set."""
ENTERPRISE_TOKENS = ("GH_ENTERPRISE_TOKEN", "GITHUB_ENTERPRISE_TOKEN")
"""For other hosts, as `gh` has it: a token is never sent to a host that it is not for."""
_GH_LIMIT = 10.0


class AppOptions(Options):
    """A GitHub App that we act as."""

    id: str | int
    """The App's id, or its client id."""
    key_file: str = ""
    """Path of its private key (`.pem`)."""
    key_env: str = ""
    """Or the variable that holds the key itself."""
    installation: int = 0
    """The installation's id; left out it is found by the repository."""

    @model_validator(mode="after")
    def _one_key(self) -> AppOptions:
        if bool(self.key_file) == bool(self.key_env):
            msg = "give the App's key by `keyFile` or by `keyEnv`"
            raise ValueError(msg)
        return self


class AccessOptions(Options):
    """What tracker and scm have in common; where both say the same they share one client and its quota."""

    api_url: str = PUBLIC
    """Address of the interface. GitHub Enterprise: `https://HOST/api/v3`."""
    token_env: str = ""
    """Variable with the token. Left out: `GITHUB_TOKEN`, `GH_TOKEN`, else what `gh auth token` says."""
    app: AppOptions | None = Field(default=None)
    """A GitHub App instead of a token: `{id, keyFile or keyEnv, installation}`."""


@dataclass(frozen=True, slots=True)
class Token:
    """A token that a person put into our environment."""

    text: str = field(repr=False)
    source: str
    """The variable's name."""

    @property
    def key(self) -> str:
        """Its variable, and a digest: another token is another identity."""
        return f"{self.source} {_digest(self.text)}"

    def auth(self) -> Auth:
        """As it is."""
        return token_auth(self.text)


@dataclass(frozen=True, slots=True)
class FromGh:
    """Whoever is signed in with GitHub's own program `gh` on this machine. Asked anew once it is refused."""

    host: str
    environment: Mapping[str, str] = field(repr=False, compare=False)
    wanted: tuple[str, ...] = ()
    """Variables that would have been taken first, for the words."""

    @property
    def key(self) -> str:
        """There is one for each host."""
        return f"gh auth token for {self.host}"

    @property
    def source(self) -> str:
        """Where the token is from."""
        return "gh auth token"

    def auth(self) -> Auth:
        """Asks `gh`: in a thread. Raises `NotReady`."""
        argv = ["gh", "auth", "token", "--hostname", self.host]
        why = ""
        try:
            # Not looked up on the PATH of a session, and without a terminal that it could ask at.
            done = subprocess.run(  # noqa: S603
                argv,
                capture_output=True,
                stdin=subprocess.DEVNULL,
                text=True,
                timeout=_GH_LIMIT,
                env=dict(self.environment),
                check=False,
            )
        except FileNotFoundError:
            why = "`gh` is not installed"
        except (OSError, subprocess.TimeoutExpired) as error:
            why = f"`gh auth token` failed ({type(error).__name__})"
        else:
            if done.returncode == 0 and done.stdout.strip():
                return token_auth(done.stdout.strip())
            why = f"`gh` is not signed in to {self.host}"
        msg = f"there is no token for {self.host}: {' and '.join(self.wanted)} are not set, and {why}."
        raise NotReady(msg, next_step=f"Set {self.wanted[0]}, or `gh auth login --hostname {self.host}`.")


@dataclass(frozen=True, slots=True)
class NoToken:
    """The variable that the configuration names is not set."""

    name: str
    host: str

    @property
    def key(self) -> str:
        """By its variable."""
        return f"{self.name} (not set)"

    @property
    def source(self) -> str:
        """The variable."""
        return self.name

    def auth(self) -> Auth:
        """Raises `NotReady`."""
        msg = f"there is no token for {self.host}: {self.name} is not set."
        raise NotReady(msg, next_step=f"Set {self.name} where `ao start` runs, and start it again.")


@dataclass(frozen=True, slots=True)
class App:
    """A GitHub App, as one of its installations."""

    url: str
    id: str
    file: str
    variable: str
    environment: Mapping[str, str] = field(repr=False, compare=False)
    where: int | str
    """The installation, or a repository that it is on."""

    @property
    def key(self) -> str:
        """By its installation; unknown, by the account that it is on."""
        at = self.where if isinstance(self.where, int) else f"of {self.where.partition('/')[0].lower()}"
        return f"App {self.id} installation {at}"

    @property
    def source(self) -> str:
        """What it is."""
        return f"GitHub App {self.id}"

    def auth(self) -> Auth:
        """Reads the key and asks for the installation: in a thread. Raises `NotReady`."""
        return app_auth(self.url, self.id, self.private_key(), self.where)

    def installation(self) -> Mapping[str, object]:
        """The installation with its permissions; goes outside like `auth`."""
        return app_installation(self.url, self.id, self.private_key(), self.where)

    def private_key(self) -> str:
        """The key itself. Raises `NotReady`."""
        if self.variable:
            text = self.environment.get(self.variable, "")
            if not text:
                msg = f"there is no key for {self.source}: {self.variable} is not set."
                raise NotReady(msg, next_step=f"Set {self.variable} where `ao start` runs.")
            # Variables often hold it on one line.
            return text.replace("\\n", "\n")
        try:
            return Path(self.file).expanduser().read_text(encoding="ascii")
        except (OSError, ValueError) as error:
            msg = f"the key of {self.source} cannot be read from {self.file} ({type(error).__name__})."
            raise NotReady(msg, next_step="`app.keyFile` names the .pem file that GitHub made.") from None


@dataclass(frozen=True, slots=True)
class Somebody:
    """A person who is linked."""

    credential: Credential

    @property
    def key(self) -> str:
        """By their name there and a digest of the token, which is renewed."""
        return f"person {self.credential.login} {_digest(self.credential.token)}"

    @property
    def source(self) -> str:
        """Whose it is."""
        return self.credential.login

    def auth(self) -> Auth:
        """As it is."""
        return token_auth(self.credential.token)


OurIdentity = Token | FromGh | NoToken | App | Somebody


def identity_of(options: AccessOptions, environment: Mapping[str, str], repository: str = "") -> OurIdentity:
    """Whom the options mean. `repository`: by which an App's installation is found, where none is named."""
    host = web_host(options.api_url)
    if options.app is not None:
        return App(
            url=options.api_url.rstrip("/"),
            id=str(options.app.id),
            file=options.app.key_file,
            variable=options.app.key_env,
            environment=environment,
            where=options.app.installation or repository,
        )
    if options.token_env:
        text = environment.get(options.token_env, "")
        return Token(text, options.token_env) if text else NoToken(options.token_env, host)
    names = TOKENS if _is_public(host) else ENTERPRISE_TOKENS
    for name in names:
        if environment.get(name):
            return Token(environment[name], name)
    return FromGh(host, environment, names)


def ready(options: Options, context: PluginContext) -> str:
    """For `Plugin.ready`: why nobody could sign in here; empty when they could. Calls no server; blocks for `gh`."""
    if not isinstance(options, AccessOptions):
        return ""
    identity = identity_of(options, context.environment)
    try:
        if isinstance(identity, App):
            identity.private_key()
        else:
            identity.auth()
    except NotReady as error:
        return str(error)
    return ""


def _is_public(host: str) -> bool:
    return host == "github.com" or host.endswith(".ghe.com")


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()[:12]


@dataclass(slots=True)
class _Shared:
    hub: GitHub
    holders: int = 0


_POOL: dict[tuple[Path, str, str], _Shared] = {}
"""Home, address and identity -> the client that everybody there uses."""


class Access:
    """A plugin's clients. What tracker and scm of one home have in common is one client."""

    def __init__(
        self, options: AccessOptions, context: PluginContext, *, listener: Listener | None = None
    ) -> None:
        self.url = options.api_url.rstrip("/")
        self._options = options
        self._context = context
        self._listener = listener
        self._held: dict[str, GitHub] = {}
        self._used_for: dict[str, str] = {}
        """A repository by the identity that acts in it; of people there is none."""

    @property
    def host(self) -> str:
        """The web address's host: `github.com`."""
        return web_host(self.url)

    def identity(self, repository: str = "") -> OurIdentity:
        """Who we are there."""
        return identity_of(self._options, self._context.environment, repository)

    def ours(self, repository: str = "") -> GitHub:
        """The client that acts as ourselves, for a repository `owner/name`."""
        identity = self.identity(repository)
        self._used_for.setdefault(identity.key, repository)
        return self._client(identity)

    def accounts(self) -> list[AccountState]:
        """Whether GitHub takes our credentials, as far as it was heard."""
        return [
            AccountState(
                name=f"{self._source(hub)} at {self.host}", repository=repository, refused=self._words(hub)
            )
            for key, repository in self._used_for.items()
            if (hub := self._held.get(key)) is not None and hub.let_in.refused is not None
        ]

    def _source(self, hub: GitHub) -> str:
        return str(getattr(hub.identity, "source", hub.identity.key))

    def _words(self, hub: GitHub) -> str:
        if not hub.let_in.refused:
            return ""
        why = one_line(hub.let_in.refused, 200).rstrip(".")
        return f"{self.host} does not take our token ({self._source(hub)}): {why}; `ao github doctor`"

    def person(self, credential: Credential) -> GitHub:
        """The client that acts as a person. Those of tokens that were renewed since are let go."""
        hub = self._client(Somebody(credential))
        prefix = f"person {credential.login} "
        for key in [k for k in self._held if k.startswith(prefix) and k != hub.identity.key]:
            # Whoever still waits for an answer of it holds it; its threads end with it.
            self._let_go(key, self._held.pop(key))
        return hub

    async def aclose(self) -> None:
        """Let go of all clients; whoever was the last closes them. Repeatable."""
        held, self._held = self._held, {}
        for key, hub in held.items():
            if self._let_go(key, hub):
                await hub.close()

    def _let_go(self, key: str, hub: GitHub) -> bool:
        """Whether we were the last."""
        place = self._place(key)
        shared = _POOL.get(place)
        if shared is None or shared.hub is not hub:
            return False
        shared.holders -= 1
        if shared.holders == 0:
            del _POOL[place]
        return shared.holders == 0

    def _client(self, identity: OurIdentity) -> GitHub:
        hub = self._held.get(identity.key)
        if hub is None:
            place = self._place(identity.key)
            if place not in _POOL:
                _POOL[place] = _Shared(GitHub(self.url, identity, listener=self._listener))
            _POOL[place].holders += 1
            hub = self._held[identity.key] = _POOL[place].hub
        return hub

    def _place(self, key: str) -> tuple[Path, str, str]:
        return (self._context.home, self.url, key)


async def git_environment(hub: GitHub, url: str) -> dict[str, str]:
    """What lets git at `url` (http) in as this client; for git's environment alone.

    A header for that server only (git-config: http.<url>.extraHeader), so that the token is in no argument
    list, address or file. Ask anew for each call: an App's token lasts an hour. Raises `NotReady`.
    """
    parts = urlsplit(url)
    login = base64.b64encode(f"x-access-token:{await hub.token()}".encode()).decode()
    return {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"http.{parts.scheme}://{parts.netloc}/.extraHeader",
        "GIT_CONFIG_VALUE_0": f"Authorization: Basic {login}",
    }
