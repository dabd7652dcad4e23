"""The gateway says every mistake in its environment before it starts."""

import pydantic
import pytest
from tenfold_gateway import settings
from tenfold_runtime.settings import describe

_VARIABLES = ("REDIS_URL", "REDIS_PASSWORD", "TENFOLD_HTTP_PORT", "TENFOLD_DRAIN_SECONDS")


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in _VARIABLES:
        monkeypatch.delenv(variable, raising=False)


def _mistakes() -> str:
    with pytest.raises(pydantic.ValidationError) as caught:
        settings.Settings()  # type: ignore[call-arg]
    return describe(caught.value, "The gateway")


def test_a_missing_redis_url_is_named_as_its_variable() -> None:
    assert "REDIS_URL: Field required" in _mistakes()


def test_all_mistakes_are_listed_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDIS_URL", "http://somewhere")
    monkeypatch.setenv("TENFOLD_HTTP_PORT", "0")
    monkeypatch.setenv("TENFOLD_DRAIN_SECONDS", "soon")
    mistakes = _mistakes()
    assert all(
        variable in mistakes
        for variable in ("REDIS_URL", "TENFOLD_HTTP_PORT", "TENFOLD_DRAIN_SECONDS")
    )


def test_no_mistake_and_no_settings_quote_a_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDIS_URL", "rediss://user:hunter2@:notaport")
    assert "hunter2" not in _mistakes()
    monkeypatch.setenv("REDIS_URL", "redis://l2.marketplace.svc:6379/0")
    monkeypatch.setenv("REDIS_PASSWORD", "hunter2")
    assert "hunter2" not in repr(settings.Settings())  # type: ignore[call-arg]
