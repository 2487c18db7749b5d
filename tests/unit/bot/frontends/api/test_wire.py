from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from bot.frontends.api import wire

Pair = tuple[socket.socket, socket.socket]


@pytest.fixture
def pair() -> Iterator[Pair]:
    """Our end of a connection, and the server's; the server's is written beforehand, so nothing waits."""
    ours, theirs = socket.socketpair()
    ours.settimeout(5)
    theirs.settimeout(5)
    yield ours, theirs
    ours.close()
    theirs.close()


def answered(pair: Pair, *parts: bytes) -> wire.Answer:
    ours, theirs = pair
    for part in parts:
        theirs.sendall(part)
    theirs.shutdown(socket.SHUT_WR)
    return wire.ask(ours, "GET", "/x", b"", {})


def test_a_request_says_its_length_and_its_headers(pair: Pair) -> None:
    ours, theirs = pair
    theirs.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
    with wire.ask(ours, "POST", "/a?b=c", b'{"x":1}', {"Idempotency-Key": "k"}) as answer:
        assert answer.status == 200
        assert answer.content() == b""
    sent = theirs.recv(4096).decode()
    assert sent.startswith("POST /a?b=c HTTP/1.1\r\nHost: localhost\r\n")
    assert "\r\nContent-Length: 7\r\n" in sent
    assert "\r\nIdempotency-Key: k\r\n" in sent
    assert sent.endswith('\r\n\r\n{"x":1}')


def test_content_of_a_known_length(pair: Pair) -> None:
    with answered(pair, b"HTTP/1.1 404 Not Found\r\nContent-Length: 5\r\n\r\nhello") as answer:
        assert answer.status == 404
        assert answer.content() == b"hello"


def test_content_in_chunks(pair: Pair) -> None:
    parts = b"5\r\nhello\r\n", b"A;name=value\r\n, world 12\r\n", b"0\r\n\r\n"
    with answered(pair, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", *parts) as answer:
        assert answer.content() == b"hello, world 12"


def test_lines_that_lie_across_chunks(pair: Pair) -> None:
    parts = b'4\r\n{"a"\r\n', b"6\r\n:1}\n{}\r\n", b"3\r\n\n{}\r\n", b"0\r\n\r\n"
    with answered(pair, b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", *parts) as answer:
        assert list(answer.lines()) == [b'{"a":1}', b"{}", b"{}"]


def test_a_line_comes_as_soon_as_it_is_there(pair: Pair) -> None:
    ours, theirs = pair
    theirs.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n{}\n\r\n")
    with wire.ask(ours, "GET", "/x", b"", {}) as answer:
        assert next(answer.lines()) == b"{}"


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"SSH-2.0-hello\r\n\r\n",
        b"HTTP/1.1 fine\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel",
        b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel",
        b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 200,
    ],
)
def test_what_is_no_whole_answer_is_an_error(pair: Pair, said: bytes) -> None:
    with pytest.raises(wire.BrokenAnswer), answered(pair, said) as answer:
        answer.content()


def test_no_header_can_begin_a_line_of_its_own(pair: Pair) -> None:
    with pytest.raises(ValueError, match="line end"):
        wire.ask(pair[0], "GET", "/x", b"", {"Idempotency-Key": "a\r\nHost: b"})


def test_leaving_it_closes_the_socket(pair: Pair) -> None:
    with answered(pair, b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"):
        pass
    assert pair[0].fileno() == -1


def test_a_broken_answer_closes_the_socket(pair: Pair) -> None:
    with pytest.raises(wire.BrokenAnswer):
        answered(pair, b"no\r\n\r\n")
    assert pair[0].fileno() == -1
