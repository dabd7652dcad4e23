"""What stands in the way is said before anything starts, all of it at once."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest
from tenfold_local import layout, preflight
from tenfold_local.shell import Failure


@pytest.fixture
def taken_port(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port: int = listener.getsockname()[1]
        monkeypatch.setattr(preflight, "_PORTS", {("127.0.0.1", port): "a-component"})
        yield port


def test_every_shortcoming_is_listed_with_what_it_is_about(
    monkeypatch: pytest.MonkeyPatch, taken_port: int
) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    monkeypatch.setattr(preflight, "_go_version", lambda: (1, 19))
    monkeypatch.setattr(preflight, "_free_gib", lambda _: 0.5)
    with pytest.raises(Failure) as failure:
        preflight.check()
    message = str(failure.value)
    assert "not root" in message
    assert "Go 1.26.7 or newer is not on PATH" in message
    assert f"0.5 GiB are free at {layout.STATE}" in message
    assert f"port {taken_port}, which a-component needs, is taken" in message
    assert failure.value.hint is not None


def test_a_machine_without_go_hears_where_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda *_, **__: None)
    with pytest.raises(Failure, match=r"Go .* is not on PATH: see https://go.dev"):
        preflight.check()


def test_a_free_port_is_no_shortcoming(taken_port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        free = other.getsockname()[1]
    monkeypatch.setattr(preflight, "_PORTS", {("127.0.0.1", free): "a-component"})
    assert preflight._taken_ports() == []
