"""Runs the Pulumi program against mocks and keeps what it registered."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from google.protobuf import empty_pb2, json_format
from pulumi.runtime import Mocks, mocks, settings
from pulumi.runtime.proto import resource_pb2
from pulumi.runtime.rpc import _special_sig_key as _special_signature
from pulumi.runtime.stack import run_in_stack
from tenfold_infra.config import Platform
from tenfold_infra.program import provision

STACKS = Path(__file__).resolve().parents[2] / "infra" / "stacks"
Document = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Registered:
    """One resource as the engine would have got it."""

    urn: str
    type: str
    parent: str
    document: Document
    dependencies: frozenset[str]
    ignored: tuple[str, ...]

    @property
    def kind(self) -> str:
        return str(self.document.get("kind", ""))

    @property
    def name(self) -> str:
        return str(self.document["metadata"]["name"])

    @property
    def namespace(self) -> str:
        return str(self.document["metadata"].get("namespace", ""))


@dataclass(kw_only=True)
class Run:
    """All that one run of the program registered."""

    resources: list[Registered] = field(default_factory=list)
    outputs: Document = field(default_factory=dict)

    @property
    def documents(self) -> list[Document]:
        return [resource.document for resource in self.objects()]

    def objects(self, kind: str | None = None) -> list[Registered]:
        """Return the Kubernetes objects, all or of one kind."""
        return [r for r in self.resources if r.kind and kind in (None, r.kind)]

    def one(self, kind: str, name: str, namespace: str = "") -> Registered:
        """Return the one object of that name."""
        (found,) = (r for r in self.objects(kind) if (r.name, r.namespace) == (name, namespace))
        return found


class _Echo(Mocks):
    """Answers each registration with its own inputs, as a cluster without defaults would."""

    def call(self, args: mocks.MockCallArgs) -> tuple[Document, None]:
        raise AssertionError(f"the program must call no provider function, but called {args.token}")

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str, Document]:
        return args.name, args.inputs


class _Recorder(mocks.MockMonitor):
    def __init__(self, run: Run) -> None:
        super().__init__(_Echo())
        self._run = run

    def RegisterResource(self, request: resource_pb2.RegisterResourceRequest) -> Any:  # noqa: N802
        response = super().RegisterResource(request)  # type: ignore[no-untyped-call]
        self._run.resources.append(
            Registered(
                urn=response.urn,
                type=request.type,
                parent=request.parent,
                document=_plain(json_format.MessageToDict(request.object)),
                dependencies=frozenset(request.dependencies),
                ignored=tuple(request.ignoreChanges),
            )
        )
        return response

    def RegisterResourceOutputs(  # noqa: N802
        self, request: resource_pb2.RegisterResourceOutputsRequest
    ) -> empty_pb2.Empty:
        if request.urn == self._run.resources[0].urn:  # the stack comes first
            self._run.outputs = _plain(json_format.MessageToDict(request.outputs))
        return empty_pb2.Empty()


def _plain(value: Any) -> Any:
    """Undo protobuf, which knows no whole numbers, and what marks a value as secret."""
    if isinstance(value, dict) and "value" in value and _special_signature in value:
        return _plain(value["value"])
    if isinstance(value, dict):
        return {key: _plain(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [_plain(entry) for entry in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def stack_config(stack: str) -> dict[str, str]:
    """Return a stack's configuration as the engine hands it to the program."""
    document = yaml.safe_load((STACKS / f"Pulumi.{stack}.yaml").read_text())
    return {key: json.dumps(value) for key, value in document["config"].items()}


def with_training_jobs(config: dict[str, str], **training: Any) -> dict[str, str]:
    """Return a stack's configuration with forecasts fitted by Jobs."""
    operator = json.loads(config["tenfold:operator"])
    operator["training"] = {"mode": "jobs"} | training
    return config | {"tenfold:operator": json.dumps(operator)}


def run_program(platform: Platform, stack: str) -> Run:
    """Run the program against mocks."""
    run = Run()
    # As set_mocks does, but for the stack resource, which the program's own run makes.
    monitor = _Recorder(run)
    mock = mocks.MockSettings(  # type: ignore[no-untyped-call]
        monitor=monitor, engine=mocks.MockEngine(None), project="tenfold", stack=stack
    )
    settings.configure(mock)
    asyncio.run(run_in_stack(lambda: provision(platform)))
    return run
