"""The API described in OpenAPI's form, out of its models."""

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from tenfold_operator.console import views
from tenfold_operator.console.decisions import Search
from tenfold_operator.model.base import JsonObject

_PLACE = "{namespace}/{name}"
_PATHS: dict[str, tuple[str, type[BaseModel] | None, tuple[str, ...]]] = {
    "/overview": ("Every resource in one line.", views.Overview, ()),
    f"/workloads/{_PLACE}": ("A Workload in full.", views.WorkloadDetail, ()),
    f"/redistiers/{_PLACE}": ("A RedisTier in full.", views.TierDetail, ()),
    f"/anomalydetectors/{_PLACE}": ("An AnomalyDetector in full.", views.DetectorDetail, ()),
    f"/workloads/{_PLACE}/history": (
        "Charts of the last minutes (15, 60, 360 or 1440), or around a failed attempt.",
        views.History,
        ("minutes", "attempt"),
    ),
    f"/redistiers/{_PLACE}/history": ("Charts of a tier.", views.History, ("minutes",)),
    f"/anomalydetectors/{_PLACE}/history": (
        "Charts of a detector: values, band, score.",
        views.History,
        ("minutes",),
    ),
    "/decisions": (
        "What the operator did or refused, newest first.",
        views.Decisions,
        tuple(Search.model_fields),
    ),
    "/events": (
        "Server-sent events: `change` with a list of Change, `reset` when everything has to be "
        "read anew. `after` or Last-Event-ID: the id that was seen last.",
        None,
        ("after",),
    ),
}


def document() -> JsonObject:
    """Return the OpenAPI document."""
    models = [model for _, model, _ in _PATHS.values() if model] + [views.Change, views.Problem]
    _, found = models_json_schema(
        [(model, "serialization") for model in dict.fromkeys(models)],
        ref_template="#/components/schemas/{model}",
    )
    return {
        "openapi": "3.1.0",
        "info": {"title": "Tenfold's console", "version": "v1"},
        "servers": [{"url": "/api/v1"}],
        "paths": {path: {"get": _operation(path, *told)} for path, told in _PATHS.items()},
        "components": {"schemas": found["$defs"]},
    }


def _operation(
    path: str, summary: str, model: type[BaseModel] | None, queries: tuple[str, ...]
) -> JsonObject:
    kind = "application/json" if model else "text/event-stream"
    schema: JsonObject = (
        {"$ref": f"#/components/schemas/{model.__name__}"} if model else {"type": "string"}
    )
    problem: JsonObject = {
        "description": "Why it was not answered.",
        "content": {
            "application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}
        },
    }
    return {
        "summary": summary,
        "parameters": [
            *(_parameter(each, "path") for each in ("namespace", "name") if f"{{{each}}}" in path),
            *(_parameter(each, "query") for each in queries),
        ],
        "responses": {
            "200": {"description": summary, "content": {kind: {"schema": schema}}},
            "default": problem,
        },
    }


def _parameter(name: str, where: str) -> JsonObject:
    return {"name": name, "in": where, "required": where == "path", "schema": {"type": "string"}}
