"""What can go wrong, and what the engine is told of it: each message is for the user."""

from tenfold_pulumi_plugins.kubernetes.values import JsonObject


class ProviderError(Exception):
    """A request that had no effect."""


class ApiError(ProviderError):
    """The API server refused a request; the message is its own."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class UnreachableError(ProviderError):
    """No API server answers."""


class UnknownKindError(ProviderError):
    """The API server does not serve this kind (yet)."""


class KubeconfigError(ProviderError):
    """No usable connection can be made of what is configured."""


class RefusedError(ProviderError):
    """The provider will not do what it is asked; the message says why and what to do instead."""


class InterruptedWaitError(ProviderError):
    """The engine has cancelled what it is doing."""


class NotReadyError(ProviderError):
    """An object exists and is not ready, or not gone; carries it as it was last seen."""

    def __init__(self, message: str, obj: JsonObject) -> None:
        super().__init__(message)
        self.obj = obj


class PartialError(Exception):
    """The object exists and the operation did not complete: the state keeps what there is."""

    def __init__(self, reason: str, identifier: str, state: JsonObject) -> None:
        super().__init__(reason)
        self.identifier = identifier
        self.state = state
