"""How a Pulumi plugin lives: a gRPC server on a free port, for as long as the engine is there."""

import os
import signal
import sys
import threading
from collections.abc import Callable
from concurrent import futures

import grpc  # type: ignore[import-untyped]

# The engine sends whole objects, CRDs among them: the default of 4 MiB is too little.
_MAX_MESSAGE_BYTES = 400 * 1024 * 1024
CHANNEL_OPTIONS = [
    ("grpc.max_receive_message_length", _MAX_MESSAGE_BYTES),
    ("grpc.max_send_message_length", _MAX_MESSAGE_BYTES),
]


def serve(register: Callable[[grpc.Server], None], workers: int) -> None:
    """Serve what `register` adds to the server, print the port, and return when the engine is done.

    The engine ends a plugin by SIGINT to the plugin's own process group and waits five seconds
    for it, so SIGINT ends the plugin; a terminal's Ctrl-C goes to the engine alone. An engine that
    was killed closes the pipe that is our standard input.
    """
    done = threading.Event()
    signal.signal(signal.SIGINT, lambda *_: done.set())
    signal.signal(signal.SIGTERM, lambda *_: done.set())

    server = grpc.server(futures.ThreadPoolExecutor(workers), options=CHANNEL_OPTIONS)
    register(server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()

    threading.Thread(target=_wait_for_end_of_input, args=(done,), daemon=True).start()
    done.wait()
    server.stop(grace=None).wait()


def engine_address(arguments: list[str]) -> str:
    """The engine's address: the last argument, after any flags that the engine was started with."""
    positional = [argument for argument in arguments if not argument.startswith("-")]
    if not positional:
        raise SystemExit("This is a plugin of the Pulumi engine; it is started by `pulumi`.")
    return positional[-1]


def _wait_for_end_of_input(done: threading.Event) -> None:
    while os.read(sys.stdin.fileno(), 1024):
        pass
    done.set()
