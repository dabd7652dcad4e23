"""What a service reads from its environment, checked before anything starts."""

import sys
from typing import TypeVar

import pydantic
import pydantic_settings

# The inputs may hold passwords, so no error may quote them.
CONFIG = pydantic_settings.SettingsConfigDict(
    env_prefix="TENFOLD_", frozen=True, hide_input_in_errors=True
)


class Serving(pydantic_settings.BaseSettings):
    """How a service is reached and how it ends: TENFOLD_* variables."""

    model_config = CONFIG

    revision: str = ""
    # A pod is reached at its own address; on a developer's machine set 127.0.0.1.
    host: str = "0.0.0.0"  # noqa: S104
    http_port: int = pydantic.Field(default=8080, ge=1, le=65535)
    metrics_port: int = pydantic.Field(default=9090, ge=1, le=65535)
    drain_seconds: float = pydantic.Field(default=2.0, ge=0)
    max_requests_in_flight: int = pydantic.Field(default=1000, ge=1)


class UsingRedis(pydantic_settings.BaseSettings):
    """Where Redis is, by the usual names."""

    model_config = CONFIG

    redis_url: pydantic.RedisDsn = pydantic.Field(validation_alias="REDIS_URL")
    redis_password: pydantic.SecretStr | None = pydantic.Field(
        default=None, validation_alias="REDIS_PASSWORD"
    )


_Settings = TypeVar("_Settings", bound=pydantic_settings.BaseSettings)


def load(kind: type[_Settings], program: str) -> _Settings:
    """Read the environment, or end the process with every mistake in it."""
    try:
        return kind()
    except pydantic.ValidationError as error:
        sys.exit(describe(error, program))
    except pydantic_settings.SettingsError as error:
        # A variable whose value has to be JSON and is not.
        sys.exit(f"{program} cannot start; correct its environment:\n  {error}")


def describe(error: pydantic.ValidationError, program: str) -> str:
    """List every mistake in the environment by the name of its variable."""
    mistakes = []
    for problem in error.errors(include_input=False, include_url=False):
        field, *inside = (str(part) for part in problem["loc"])
        variable = field if field.isupper() else f"TENFOLD_{field.upper()}"
        mistakes.append(f"  {'.'.join((variable, *inside))}: {problem['msg']}")
    return f"{program} cannot start; correct its environment:\n" + "\n".join(mistakes)
