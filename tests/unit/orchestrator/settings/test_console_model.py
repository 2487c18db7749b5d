"""Where the browser's side and the API for colleagues listen."""

from __future__ import annotations

import ipaddress
from typing import Any

import pytest
from pydantic import ValidationError

from orchestrator.domain.listener import Listener, is_loopback
from orchestrator.settings.console_model import Console
from orchestrator.settings.models import Config


def console(**keys: Any) -> Console:
    return Console.model_validate(keys)


def test_by_itself_it_is_this_machine_alone() -> None:
    assert Config().console.listener() == Listener(host="127.0.0.1", port=8410, chosen=False)


@pytest.mark.parametrize(
    ("written", "host", "port"),
    [
        ("127.0.0.1:0", "127.0.0.1", 0),
        ("localhost:9000", "127.0.0.1", 9000),
        ("[::1]:9000", "::1", 9000),
        ("127.0.0.2:80", "127.0.0.2", 80),
    ],
)
def test_an_address_that_was_written_is_kept_to(written: str, host: str, port: int) -> None:
    found = console(listen=written).listener()
    assert found == Listener(host=host, port=port, chosen=True)
    assert found.loopback


def test_off_is_nowhere() -> None:
    assert console(listen="off").listener() is None
    assert console(listen="off").listener(4000) is None


def test_the_reference_systems_port_counts_where_it_alone_is_written() -> None:
    assert console().listener(4000) == Listener(port=4000, chosen=True)
    assert console(listen="127.0.0.1:5000").listener(4000) == Listener(port=5000, chosen=True)


@pytest.mark.parametrize(
    "written",
    ["", "8410", ":8410", "127.0.0.1", "127.0.0.1:99999", "::1:80", "ao:80", "[127.0.0.1]:80", "1.2.3.4:x"],
)
def test_what_is_no_address_is_refused(written: str) -> None:
    with pytest.raises(ValidationError, match="must be"):
        console(listen=written)


@pytest.mark.parametrize("written", ["0.0.0.0:8410", "[::]:8410", "10.0.0.5:8410"])
def test_beyond_this_machine_it_needs_the_address_that_people_use(written: str) -> None:
    with pytest.raises(ValidationError, match="publicUrl"):
        console(listen=written)
    found = console(listen=written, publicUrl="https://AO.example.org/").listener()
    assert found is not None
    assert (found.loopback, found.public_url) == (False, "https://ao.example.org")


@pytest.mark.parametrize(
    "written", ["ao.example.org", "https://x/path", "ftp://x", "https://u@x", "https://x:y", "https://x?q"]
)
def test_a_public_address_has_a_scheme_and_no_path(written: str) -> None:
    with pytest.raises(ValidationError, match="https://ao"):
        console(publicUrl=written)


def test_proxies_are_addresses_or_networks() -> None:
    found = console(trustedProxies=["127.0.0.1", "10.0.0.0/8"]).listener()
    assert found is not None
    assert found.proxies == (ipaddress.ip_network("127.0.0.1"), ipaddress.ip_network("10.0.0.0/8"))
    with pytest.raises(ValidationError):
        console(trustedProxies=["proxy.example.org"])


@pytest.mark.parametrize(
    ("name", "ours"),
    [("localhost", True), ("127.9.9.9", True), ("::1", True), ("8.8.8.8", False), ("x", False)],
)
def test_names_are_not_of_this_machine_but_for_one(name: str, ours: bool) -> None:
    assert is_loopback(name) is ours
