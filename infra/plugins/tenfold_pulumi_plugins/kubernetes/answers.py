"""Turns what goes wrong in a request into the answer that the engine understands."""

import functools
from collections.abc import Callable
from typing import Any, Final, NoReturn, TypeVar

import grpc  # type: ignore[import-untyped]
from google.protobuf import struct_pb2
from pulumi.runtime.proto import provider_pb2, status_pb2

from tenfold_pulumi_plugins.kubernetes import errors, values

_Request = TypeVar("_Request")
_Response = TypeVar("_Response")
_PROPERTY_FIELDS: Final = ("properties", "inputs", "news", "olds", "old_inputs")


def answered(
    method: Callable[[Any, _Request], _Response],
) -> Callable[[Any, _Request, grpc.ServicerContext], _Response]:
    """A method of the servicer whose exceptions become one readable diagnostic, without secrets."""

    @functools.wraps(method)
    def answer(self: Any, request: _Request, context: grpc.ServicerContext) -> _Response:
        try:
            return method(self, request)
        except errors.PartialError as error:
            _abort_partial(context, error, _secrets_in(request))
        except (errors.ProviderError, ValueError) as error:
            message = str(error) or type(error).__name__
            # A code that says the request had no effect: the state stays as it was.
            context.abort(
                grpc.StatusCode.FAILED_PRECONDITION, values.redact(message, _secrets_in(request))
            )
            raise AssertionError("abort returns") from error

    return answer


def _abort_partial(
    context: grpc.ServicerContext, error: errors.PartialError, secrets: set[str]
) -> NoReturn:
    message = values.redact(str(error), secrets)
    detail = provider_pb2.ErrorResourceInitFailed(
        id=error.identifier, properties=values.encode(error.state), reasons=[message]
    )
    code = grpc.StatusCode.UNKNOWN
    status = status_pb2.Status(code=code.value[0], message=message)
    status.details.add().Pack(detail)
    context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))
    context.abort(code, message)
    raise AssertionError("abort returns")


def _secrets_in(request: object) -> set[str]:
    found: set[str] = set()
    for field in _PROPERTY_FIELDS:
        struct = getattr(request, field, None)
        if isinstance(struct, struct_pb2.Struct):
            found |= values.secret_texts(values.decode(struct))
    return found
