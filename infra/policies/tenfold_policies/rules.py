"""The list of rules."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from tenfold_policies import pods, stacks
from tenfold_policies.documents import Document


@dataclass(frozen=True)
class ResourceRule:
    """A rule about one object; the check yields what is wrong, in words."""

    name: str
    description: str
    check: Callable[[Document], Iterator[str]]


@dataclass(frozen=True)
class StackRule:
    """A rule about all objects of a stack together."""

    name: str
    description: str
    check: Callable[[Sequence[Document]], Iterator[str]]


RESOURCE_RULES = (
    ResourceRule("restricted-pods", "Pods gain nothing on their node.", pods.privileged),
    ResourceRule("limits", "Containers say requests and limits.", pods.without_limits),
    ResourceRule("fixed-images", "Images name a version.", pods.floating_images),
    ResourceRule("no-plain-secrets", "Secrets are not in env.", pods.plain_secrets),
)
STACK_RULES = (
    StackRule("default-deny", "Namespaces deny by default.", stacks.open_namespaces),
    StackRule("namespaced-secrets", "Nobody reads all Secrets.", stacks.cluster_wide_secrets),
)


def violations(documents: Sequence[Document]) -> list[str]:
    """Return everything that is wrong with a stack's objects, each with its rule."""
    found = [
        f"{rule.name}: {problem}"
        for rule in RESOURCE_RULES
        for document in documents
        for problem in rule.check(document)
    ]
    return found + [
        f"{rule.name}: {problem}" for rule in STACK_RULES for problem in rule.check(documents)
    ]
