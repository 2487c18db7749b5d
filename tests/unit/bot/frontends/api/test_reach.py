"""The way to a server elsewhere: its address, its token, its certificate."""

from __future__ import annotations

import socket
import threading
from collections.abc import Mapping
from pathlib import Path

import pytest

from bot.frontends.api.reach import NoServer, TcpReach, token_for
from orchestrator.errors import BadInput, NotAllowed, NotReady

TOKEN = "ao_" + "x" * 43
SERVER = "https://ao.example.org"


@pytest.fixture
def env(tmp_path: Path) -> Mapping[str, str]:
    return {"HOME": str(tmp_path)}


def keep(tmp_path: Path, content: str, mode: int = 0o600) -> Path:
    path = tmp_path / ".config" / "ao" / "tokens.json"
    path.parent.mkdir(parents=True)
    path.write_text(content)
    path.chmod(mode)
    return path


@pytest.mark.parametrize(
    "address",
    ["", "ao.example.org", "ftp://x", "https://", "https://x/path", "https://u:p@x", "http://x:99999"],
)
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(BadInput, match="no address"):
        TcpReach(address, TOKEN)


def test_a_token_never_goes_over_the_network_unencrypted() -> None:
    with pytest.raises(BadInput, match="everybody on the way"):
        TcpReach("http://ao.example.org", TOKEN)
    for address in ("http://127.0.0.1:1", "http://localhost", "http://[::1]:1", SERVER):
        TcpReach(address, TOKEN)


def test_a_token_is_in_no_words() -> None:
    assert TOKEN not in repr(TcpReach(SERVER, TOKEN))
    with pytest.raises(BadInput) as refused:
        TcpReach(SERVER, "secret")
    assert "secret" not in str(refused.value)


def test_the_token_comes_from_the_environment_or_a_file_of_ones_own(
    env: Mapping[str, str], tmp_path: Path
) -> None:
    assert token_for(SERVER, {**env, "AO_TOKEN": "t"}) == "t"
    with pytest.raises(NotReady, match="no token") as absent:
        token_for(SERVER, env)
    assert "ao token add" in absent.value.next_step
    path = keep(tmp_path, f'{{"{SERVER}/": "{TOKEN}"}}')
    assert token_for(SERVER, env) == TOKEN
    path.chmod(0o640)
    with pytest.raises(NotAllowed, match="others can read"):
        token_for(SERVER, env)


@pytest.mark.parametrize("content", ["[]", "{", '{"a": 1}'])
def test_a_file_that_is_none_is_named(env: Mapping[str, str], tmp_path: Path, content: str) -> None:
    keep(tmp_path, content)
    with pytest.raises(BadInput, match=r"tokens\.json"):
        token_for(SERVER, env)


def test_who_does_not_answer_is_named() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    with pytest.raises(NoServer, match=f"127.0.0.1:{port}"):
        TcpReach(f"http://127.0.0.1:{port}", TOKEN).open(5)


def test_what_speaks_no_tls_is_not_talked_to() -> None:
    with socket.create_server(("127.0.0.1", 0)) as plain:

        def answer() -> None:
            opened, _ = plain.accept()
            with opened:
                opened.recv(1024)
                opened.sendall(b"HTTP/1.1 200 OK\r\n\r\n")

        thread = threading.Thread(target=answer)
        thread.start()
        with pytest.raises(NotReady, match="no safe connection"):
            TcpReach(f"https://127.0.0.1:{plain.getsockname()[1]}", TOKEN).open(5)
        thread.join(5)
