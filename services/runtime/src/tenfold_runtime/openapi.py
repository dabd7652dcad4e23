"""The OpenAPI 3.1 document of a service, from its endpoints."""

from __future__ import annotations

import re
from collections.abc import Sequence
from http import HTTPStatus
from typing import TYPE_CHECKING

import pydantic
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from tenfold_runtime import problems

if TYPE_CHECKING:
    from tenfold_runtime.api import Endpoint

Document = dict[str, object]
_REFERENCE = "#/components/schemas/{model}"


def path_parameters(path: str) -> frozenset[str]:
    """Return the names in braces."""
    return frozenset(re.findall(r"\{(\w+)\}", path))


def document(endpoints: Sequence[Endpoint], title: str, version: str) -> Document:
    """Return the document; schemas of all bodies, answers and problems are its components."""
    models: dict[type[pydantic.BaseModel], JsonSchemaMode] = {problems.Problem: "serialization"}
    for endpoint in endpoints:
        models[endpoint.answer] = "serialization"
        if endpoint.body is not None:
            models[endpoint.body] = "validation"
    _, schemas = models_json_schema(list(models.items()), ref_template=_REFERENCE)
    paths: dict[str, dict[str, Document]] = {}
    for endpoint in endpoints:
        paths.setdefault(endpoint.path, {})[endpoint.method.lower()] = _operation(endpoint)
    bearer = {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
    return {
        "openapi": "3.1.0",
        "info": {"title": title, "version": version},
        "paths": paths,
        "components": {"schemas": schemas["$defs"], "securitySchemes": {"bearer": bearer}},
    }


def _operation(endpoint: Endpoint) -> Document:
    operation: Document = {
        "summary": endpoint.summary,
        "parameters": _parameters(endpoint),
        "responses": {
            str(endpoint.status): _content(endpoint.answer, "application/json", "The answer."),
            **{
                str(status): _content(
                    problems.Problem, problems.MEDIA_TYPE, HTTPStatus(status).phrase
                )
                for status in endpoint.problems
            },
        },
    }
    if endpoint.body is not None:
        body = _content(endpoint.body, "application/json", "")
        operation["requestBody"] = {"required": True, "content": body["content"]}
    if endpoint.secured:
        operation["security"] = [{"bearer": []}]
    return operation


def _parameters(endpoint: Endpoint) -> list[Document]:
    schema = endpoint.parameters.model_json_schema()
    in_path = path_parameters(endpoint.path)
    named: list[Document] = [
        {
            "name": name,
            "in": "path" if name in in_path else "query",
            "required": name in schema.get("required", ()),
            "schema": described,
        }
        for name, described in schema.get("properties", {}).items()
    ]
    headers: list[Document] = [
        {"name": name, "in": "header", "required": True, "schema": {"type": "string"}}
        for name in endpoint.headers
    ]
    return [*named, *headers]


def _content(model: type[pydantic.BaseModel], media_type: str, description: str) -> Document:
    schema = {"$ref": _REFERENCE.format(model=model.__name__)}
    return {"description": description, "content": {media_type: {"schema": schema}}}
