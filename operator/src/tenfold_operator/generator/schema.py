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
        schema = version["schema"]["openAPIV3Schema"]
        names_of_classes = _Names(names["kind"], _in_both_sections(schema))
        return cls(
            kind=names["kind"],
            group=spec["group"],
            version=version["name"],
            singular=names["singular"],
            short_names=tuple(names["shortNames"]),
            root=_node(schema, names["kind"], names_of_classes),
            columns=tuple(column["name"] for column in version["additionalPrinterColumns"]),
        )


@dataclass(frozen=True)
class _Names:
    """How the classes of one kind are named."""

    kind: str
    in_both: frozenset[str]
    """Blocks and lists of them that spec and status both have; the latter get the suffix Status."""

    def child(self, parent: str, name: str) -> str:
        if name == "conditions":  # the same for every kind
            return "Conditions"
        capital = name[0].upper() + name[1:]
        if parent not in {self.kind + section.capitalize() for section in _SECTIONS}:
            return parent + capital
        is_second = parent == f"{self.kind}Status" and name in self.in_both
        return self.kind + capital + ("Status" if is_second else "")


def _in_both_sections(schema: dict[str, Any]) -> frozenset[str]:
    spec, status = (
        {
            name
            for name, child in schema["properties"].get(section, {}).get("properties", {}).items()
            if child.get("items", child).get("properties")
        }
        for section in _SECTIONS
    )
    return frozenset(spec & status)


def _node(schema: dict[str, Any], class_name: str, names: _Names) -> Node:
    required = set(schema.get("required", ()))
    fields = tuple(
        Field(name, name in required, _node(child, names.child(class_name, name), names))
        for name, child in schema.get("properties", {}).items()
    )
    items = schema.get("items")
    item = _node(items, _singular(class_name), names) if items else None
    return Node(schema, class_name, fields, item)


def _singular(name: str) -> str:
    if name.endswith("Status"):
        return f"{_singular(name.removesuffix('Status'))}Status"
    if name.endswith("ies"):
        return f"{name[:-3]}y"
    return name[:-1] if name.endswith("s") else name + "Item"
