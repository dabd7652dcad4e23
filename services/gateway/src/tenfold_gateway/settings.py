"""What the service reads from its environment, checked before anything starts."""

import pydantic
import pydantic_settings


class Settings(pydantic_settings.BaseSettings):
    """The environment variables of the service.

    Connection data of Redis has the usual names; everything of our own is TENFOLD_*.
    """

    # The inputs hold a password, so no error may quote them.
    model_config = pydantic_settings.SettingsConfigDict(
        env_prefix="TENFOLD_", frozen=True, hide_input_in_errors=True
    )

    redis_url: pydantic.RedisDsn = pydantic.Field(validation_alias="REDIS_URL")
    redis_password: pydantic.SecretStr | None = pydantic.Field(
        default=None, validation_alias="REDIS_PASSWORD"
    )
    revision: str = ""
    # A pod is reached at its own address; on a developer's machine set 127.0.0.1.
    host: str = "0.0.0.0"  # noqa: S104
    http_port: int = pydantic.Field(default=8080, ge=1, le=65535)
    metrics_port: int = pydantic.Field(default=9090, ge=1, le=65535)
    drain_seconds: float = pydantic.Field(default=2.0, ge=0)
    max_requests_in_flight: int = pydantic.Field(default=1000, ge=1)


def describe(error: pydantic.ValidationError) -> str:
    """List every mistake in the environment by the name of its variable."""
    mistakes = []
    for problem in error.errors(include_input=False, include_url=False):
        field = str(problem["loc"][0])
        variable = field if field.isupper() else f"TENFOLD_{field.upper()}"
        mistakes.append(f"  {variable}: {problem['msg']}")
    return "The gateway cannot start; correct its environment:\n" + "\n".join(mistakes)
