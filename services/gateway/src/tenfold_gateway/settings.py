"""What the gateway reads from its environment."""

from tenfold_runtime import settings


class Settings(settings.Serving, settings.UsingRedis):
    """The gateway's environment variables."""
