"""The OpenAPI 3.1 document of a service, from its endpoints."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import TYPE_CHECKING

import pydantic
from pydantic.json_schema import JsonSchemaMode, JsonSchemaValue, models_json_schema

from tenfold_runtime import problems

if TYPE_CHECKING:
    from tenfold_runtime.api import Endpoint

Document = dict[str, object]
_REFERENCE = "#/components/schemas/{model}"

_Model = tuple[type[pydantic.BaseModel], JsonSchemaMode]
_References = Mapping[_Model, JsonSchemaValue]


def path_parameters(path: str) -> frozenset[str]:
    """Return the names in braces."""
    return frozenset(re.findall(r"\{(\w+)\}", path))


def document(endpoints: Sequence[Endpoint], title: str, version: str) -> Document:
    """Return the document; schemas of all bodies, answers and problems are its components."""
    models: set[_Model] = {(problems.Problem, "serialization")}
    for endpoint in endpoints:
        models.add((endpoint.answer, "serialization"))
        if endpoint.body is not None:
            models.add((endpoint.body, "validation"))
    ordered = sorted(models, key=lambda model: (model[0].__name__, model[1]))
    # What a model is called there is pydantic's to say: it differs for generic ones.
    named, schemas = models_json_schema(ordered, ref_template=_REFERENCE)
    references: _References = {model: named[model] for model in ordered}
    paths: dict[str, dict[str, Document]] = {}
    for endpoint in endpoints:
        operation = _operation(endpoint, references)
        paths.setdefault(endpoint.path, {})[endpoint.method.lower()] = operation
    bearer = {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
    return {
        "openapi": "3.1.0",
        "info": {"title": title, "version": version},
        "paths": paths,
        "components": {"schemas": schemas["$defs"], "securitySchemes": {"bearer": bearer}},
    }


def _operation(endpoint: Endpoint, references: _References) -> Document:
    problem = references[problems.Problem, "serialization"]
    answer = references[endpoint.answer, "serialization"]
    operation: Document = {
        "summary": endpoint.summary,
        "parameters": _parameters(endpoint),
        "responses": {
            str(endpoint.status): _content(answer, "application/json", "The answer."),
            **{
                str(status): _content(problem, problems.MEDIA_TYPE, HTTPStatus(status).phrase)
                for status in endpoint.problems
            },
        },
    }
    if endpoint.body is not None:
        body = _content(references[endpoint.body, "validation"], "application/json", "")
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


def _content(schema: JsonSchemaValue, media_type: str, description: str) -> Document:
    return {"description": description, "content": {media_type: {"schema": schema}}}
