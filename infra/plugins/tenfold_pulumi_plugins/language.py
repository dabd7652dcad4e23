"""The Python language host: runs a Pulumi program in the environment that this package is in.

It stands in for `pulumi-language-python` where Pulumi's own distribution cannot be had. The program
runs inside this process, once for the preview and once for the update; what a run leaves behind in
the process (working directory, sys.argv, the program's own modules) is undone before the next.
"""

# ruff: noqa: N802, D102 - names and meaning of the methods are the protocol's

import asyncio
import contextlib
import contextvars
import importlib.metadata
import logging
import os
import runpy
import sys
import sysconfig
import threading
import traceback
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc  # type: ignore[import-untyped]
import pulumi
from google.protobuf import empty_pb2
from pulumi.runtime import reset_options, run_in_stack, set_all_config
from pulumi.runtime.proto import language_pb2, language_pb2_grpc, plugin_pb2

from tenfold_pulumi_plugins import serving

_WORKERS = 8


class LanguageHost(language_pb2_grpc.LanguageRuntimeServicer):
    """What the engine asks of a language host to preview, update and destroy."""

    def __init__(self, engine_address: str) -> None:
        self._engine_address = engine_address
        # The working directory, sys.argv and sys.modules belong to the process.
        self._one_program_at_a_time = threading.Lock()

    def Handshake(
        self, request: language_pb2.LanguageHandshakeRequest, context: grpc.ServicerContext
    ) -> language_pb2.LanguageHandshakeResponse:
        return language_pb2.LanguageHandshakeResponse()

    def GetPluginInfo(
        self, request: empty_pb2.Empty, context: grpc.ServicerContext
    ) -> plugin_pb2.PluginInfo:
        return plugin_pb2.PluginInfo(version=importlib.metadata.version("pulumi"))

    def GetRequiredPlugins(
        self, request: language_pb2.GetRequiredPluginsRequest, context: grpc.ServicerContext
    ) -> language_pb2.GetRequiredPluginsResponse:
        return language_pb2.GetRequiredPluginsResponse()

    def GetRequiredPackages(
        self, request: language_pb2.GetRequiredPackagesRequest, context: grpc.ServicerContext
    ) -> language_pb2.GetRequiredPackagesResponse:
        # Naming any would make the engine download them; it finds what is needed on PATH.
        return language_pb2.GetRequiredPackagesResponse()

    def InstallDependencies(
        self, request: language_pb2.InstallDependenciesRequest, context: grpc.ServicerContext
    ) -> Iterator[language_pb2.InstallDependenciesResponse]:
        # This environment has them: uv.lock made it.
        return iter(())

    def RuntimeOptionsPrompts(
        self, request: language_pb2.RuntimeOptionsRequest, context: grpc.ServicerContext
    ) -> language_pb2.RuntimeOptionsResponse:
        return language_pb2.RuntimeOptionsResponse()

    def About(
        self, request: language_pb2.AboutRequest, context: grpc.ServicerContext
    ) -> language_pb2.AboutResponse:
        version = ".".join(map(str, sys.version_info[:3]))
        return language_pb2.AboutResponse(executable=sys.executable, version=version)

    def GetProgramDependencies(
        self, request: language_pb2.GetProgramDependenciesRequest, context: grpc.ServicerContext
    ) -> language_pb2.GetProgramDependenciesResponse:
        return language_pb2.GetProgramDependenciesResponse(
            dependencies=[
                language_pb2.DependencyInfo(name=found.name, version=found.version)
                for found in sorted(importlib.metadata.distributions(), key=lambda d: d.name)
            ]
        )

    def Cancel(self, request: empty_pb2.Empty, context: grpc.ServicerContext) -> empty_pb2.Empty:
        # The engine closes the program's resource monitor; that ends Run.
        return empty_pb2.Empty()

    def Run(
        self, request: language_pb2.RunRequest, context: grpc.ServicerContext
    ) -> language_pb2.RunResponse:
        with self._one_program_at_a_time, _process_of(request) as program:
            # The SDK keeps its settings in context variables: each run has its own.
            return contextvars.copy_context().run(self._run, request, program)

    def _run(self, request: language_pb2.RunRequest, program: Path) -> language_pb2.RunResponse:
        reset_options(
            project=request.project,
            stack=request.stack,
            organization=request.organization or "organization",
            root_directory=request.info.root_directory,
            parallel=request.parallel,
            preview=request.dryRun,
            monitor_address=request.monitor_address,
            engine_address=self._engine_address,
        )
        set_all_config(dict(request.config), list(request.configSecretKeys))
        try:
            _run_to_the_end(program, request.parallel)
        except pulumi.RunError as error:
            pulumi.log.error(str(error))
        except grpc.RpcError as error:
            # The engine closes the monitor when a resource fails or the user cancels; it has
            # reported that already.
            if error.code() in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED):
                return language_pb2.RunResponse(bail=True)
            pulumi.log.error(f"Program failed: the engine refused a call: {error.details()}")
        except BaseException as error:  # noqa: BLE001 - sys.exit() in a program is a failure too
            pulumi.log.error(
                f"Program failed with an unhandled exception:\n{_own_traceback(error, program)}"
            )
        else:
            return language_pb2.RunResponse()
        # `bail` says that the user has been told; `error` would have the engine say it again.
        return language_pb2.RunResponse(bail=True)


def _run_to_the_end(program: Path, parallel: int) -> None:
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    with ThreadPoolExecutor(max(parallel, 1) * 4) as executor:
        loop.set_default_executor(executor)
        try:
            loop.run_until_complete(
                run_in_stack(lambda: _discard(runpy.run_path(str(program), run_name="__main__")))
            )
        finally:
            for task in asyncio.all_tasks(loop):
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    loop.run_until_complete(task)
            asyncio.set_event_loop(None)
            loop.close()
            sys.stdout.flush()
            sys.stderr.flush()


def _discard(_: object) -> None:
    """Return nothing: the SDK would take a program's result for something to await."""


@contextlib.contextmanager
def _process_of(request: language_pb2.RunRequest) -> Iterator[Path]:
    """Make this process look like one started for the program; yields the program's path."""
    directory, arguments, modules = Path.cwd(), sys.argv, set(sys.modules)
    os.chdir(request.pwd or request.info.program_directory)
    program = Path(request.program or request.info.entry_point or ".").resolve()
    sys.argv = [str(program), *request.args]
    try:
        yield program
    finally:
        sys.argv = arguments
        os.chdir(directory)
        _forget(set(sys.modules) - modules)


def _forget(names: set[str]) -> None:
    """Unload the modules of the program, so that the next run imports them afresh.

    Installed packages stay: they hold nothing of a run, and loading them takes a second.
    """
    installed = tuple(
        str(Path(sysconfig.get_path(kind)).resolve())
        for kind in ("stdlib", "platstdlib", "purelib", "platlib")
    )
    for name in names:
        origin = getattr(sys.modules[name], "__file__", None)
        if origin is not None and not str(Path(origin).resolve()).startswith(installed):
            del sys.modules[name]


def _own_traceback(error: BaseException, program: Path) -> str:
    """The traceback from the program's first line on, without the frames that led there."""
    frames = list(traceback.walk_tb(error.__traceback__))
    inside = str(program if program.is_dir() else program.parent)
    for position, (frame, _) in enumerate(frames):
        if frame.f_code.co_filename.startswith(inside):
            limit = position - len(frames)
            return "".join(traceback.format_exception(error, limit=limit))
    return "".join(traceback.format_exception(error))


def main() -> None:
    """Serve the engine that started this process."""
    # The SDK leaves futures unobserved when a resource fails; asyncio's complaints help nobody.
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    host = LanguageHost(serving.engine_address(sys.argv[1:]))
    serving.serve(
        lambda server: language_pb2_grpc.add_LanguageRuntimeServicer_to_server(host, server),
        workers=_WORKERS,
    )
    # A program may still be waiting for the engine that has gone; nothing here needs a farewell.
    os._exit(0)
