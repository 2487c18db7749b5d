"""The demo's own GitHub as a process: started, told what to do by its control, and asked as anybody asks GitHub."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import ProxyHandler, Request, build_opener

from orchestrator.errors import BadInput, NotReady

LIMIT = 30.0
"""Seconds that one call may take."""


@dataclass(slots=True)
class GitHubProcess:
    """The fake GitHub, which ends with whoever started it. `folder` is where its repositories lie."""

    process: subprocess.Popen[str]
    folder: Path
    api: str
    page: str
    _control: str
    _secret: str = field(repr=False)

    @classmethod
    def start(cls, folder: Path) -> GitHubProcess:
        """Raises `NotReady`."""
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        argv = [sys.executable, "-m", "bot.demo.github.server", "--port", "0", "--with-parent"]
        argv += ["--folder", str(folder)]
        made = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        line = made.stdout.readline() if made.stdout is not None else ""
        if not line:
            msg = f"the demo's GitHub ended with code {made.wait(10)}."
            raise NotReady(msg)
        told = json.loads(line)
        return cls(
            process=made,
            folder=folder,
            api=str(told["api"]),
            page=str(told["page"]).rstrip("/"),
            _control=str(told["control"]),
            _secret=str(told["secret"]),
        )

    def control(self, name: str, **arguments: object) -> Any:  # noqa: ANN401 - what the control answers
        """Have it do what a test or a person elsewhere does. Raises `BadInput` when it cannot."""
        data = json.dumps(arguments).encode()
        return _call(f"{self._control}{name}", data, {"Authorization": f"Bearer {self._secret}"})

    def get(self, path: str, token: str = "") -> Any:  # noqa: ANN401 - JSON
        """A plain request of GitHub's REST API. Raises `BadInput` when it is refused."""
        return _call(self.api + path, None, {"Authorization": f"Bearer {token}"} if token else {})

    def post(self, path: str, body: object, token: str) -> Any:  # noqa: ANN401 - JSON
        """The same, which makes something."""
        return _call(self.api + path, json.dumps(body).encode(), {"Authorization": f"Bearer {token}"})

    def git_url(self, repo: str) -> str:
        """Where `owner/name` is cloned from."""
        return f"{self.page}/{repo}.git"

    def outlive_exec(self) -> None:
        """Stay until the program that this one becomes ends."""
        if self.process.stdin is not None:
            os.set_inheritable(self.process.stdin.fileno(), True)  # noqa: FBT003 - the standard library's own form

    def close(self) -> None:
        """End it: it goes when its standard input ends."""
        if self.process.stdin is not None:
            self.process.stdin.close()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(10)
        if self.process.stdout is not None:
            self.process.stdout.close()


def _call(url: str, data: bytes | None, headers: dict[str, str]) -> Any:  # noqa: ANN401 - JSON
    # Never through a proxy of this machine's: the fake is on loopback.
    request = Request(url, data=data, headers={"Accept": "application/json", **headers})  # noqa: S310 - our own address
    try:
        with build_opener(ProxyHandler({})).open(request, timeout=LIMIT) as answer:
            return json.loads(answer.read() or b"null")
    except HTTPError as error:
        msg = f"the demo's GitHub refused {url}: {error.code} {error.read(500).decode(errors='replace')}"
        raise BadInput(msg) from error
    except (URLError, OSError) as error:
        msg = f"the demo's GitHub does not answer: {error}"
        raise NotReady(msg) from error
