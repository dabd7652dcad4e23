"""A CRD as the generators see it: typed fields with descriptions, rules and defaults."""

from dataclasses import dataclass, field
from typing import Any

_SECTIONS = ("spec", "status")


@dataclass(frozen=True)
class Field:
    """One property of an object."""

    name: str
    required: bool
    node: "Node"


@dataclass(frozen=True)
class Node:
    """One schema: its type, constraints, and for objects their fields."""

    schema: dict[str, Any]
    class_name: str
    fields: tuple[Field, ...] = ()
    item: "Node | None" = None

    @property
    def description(self) -> str:
        """The description, as one paragraph."""
        return " ".join(str(self.schema.get("description", "")).split())

    @property
    def type(self) -> str:
        """The OpenAPI type; `int-or-string` where that extension is set."""
        if self.schema.get("x-kubernetes-int-or-string"):
            return "int-or-string"
        return str(self.schema.get("type", "object"))

    @property
    def is_opaque(self) -> bool:
        """Whether Kubernetes defines the content and it is only passed on."""
        return bool(self.schema.get("x-kubernetes-preserve-unknown-fields"))

    @property
    def rules(self) -> tuple[str, ...]:
        """What the API server refuses, in words."""
        found = self.schema.get("x-kubernetes-validations", [])
        return tuple(" ".join(rule["message"].split()) for rule in found)


@dataclass(frozen=True)
class Crd:
    """One custom resource definition with its only version."""

    kind: str
    group: str
    version: str
    singular: str
    short_names: tuple[str, ...]
    root: Node
    columns: tuple[str, ...] = field(default=())

    @classmethod
    def parse(cls, document: dict[str, Any]) -> "Crd":
        """Read a CustomResourceDefinition of one version."""
        spec = document["spec"]
        names = spec["names"]
        (version,) = spec["versions"]
        return cls(
            kind=names["kind"],
            group=spec["group"],
            version=version["name"],
            singular=names["singular"],
            short_names=tuple(names["shortNames"]),
            root=_node(version["schema"]["openAPIV3Schema"], names["kind"], names["kind"]),
            columns=tuple(column["name"] for column in version["additionalPrinterColumns"]),
        )


def _node(schema: dict[str, Any], class_name: str, kind: str) -> Node:
    required = set(schema.get("required", ()))
    fields = tuple(
        Field(name, name in required, _node(child, _class_name(class_name, name, kind), kind))
        for name, child in schema.get("properties", {}).items()
    )
    items = schema.get("items")
    item = _node(items, _singular(class_name), kind) if items else None
    return Node(schema, class_name, fields, item)


def _class_name(parent: str, name: str, kind: str) -> str:
    if name == "conditions":  # the same for every kind
        return "Conditions"
    inside_section = parent in {kind + section.capitalize() for section in _SECTIONS}
    return (kind if inside_section else parent) + name[0].upper() + name[1:]


def _singular(name: str) -> str:
    if name.endswith("ies"):
        return f"{name[:-3]}y"
    return name[:-1] if name.endswith("s") else name + "Item"
