"""Rules about a stack as a whole."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tenfold_policies.documents import Document, entries, section, texts, where


def open_namespaces(documents: Sequence[Document]) -> Iterator[str]:
    """Yield namespaces where what is not allowed is not denied."""
    closed = {
        section(document, "metadata").get("namespace")
        for document in documents
        if _denies_everything(document)
    }
    for document in documents:
        if document.get("kind") != "Namespace":
            continue
        metadata = section(document, "metadata")
        if metadata.get("name") not in closed:
            yield f"{where(document)}: has no NetworkPolicy that denies all traffic by default"
        labels = section(metadata, "labels")
        if labels.get("pod-security.kubernetes.io/enforce") != "restricted":
            yield f"{where(document)}: label it pod-security.kubernetes.io/enforce: restricted"


def _denies_everything(document: Document) -> bool:
    spec = section(document, "spec")
    return (
        document.get("kind") == "NetworkPolicy"
        and not any(section(spec, "podSelector").values())
        and {"Ingress", "Egress"} <= set(texts(spec, "policyTypes"))
        and not spec.get("ingress")
        and not spec.get("egress")
    )


def cluster_wide_secrets(documents: Sequence[Document]) -> Iterator[str]:
    """Yield bindings that let somebody read the Secrets of every namespace."""
    readers = {
        section(document, "metadata").get("name")
        for document in documents
        if document.get("kind") == "ClusterRole" and _reaches_secrets(document)
    }
    readers |= {"cluster-admin", "admin", "edit"}  # Kubernetes' own roles that reach Secrets
    for document in documents:
        if document.get("kind") != "ClusterRoleBinding":
            continue
        role = section(document, "roleRef").get("name")
        if role in readers:
            yield f"{where(document)}: role {role} reaches every Secret; bind it by namespace"


def _reaches_secrets(role: Document) -> bool:
    return any(
        {"", "*"} & set(texts(rule, "apiGroups"))
        and {"secrets", "*"} & set(texts(rule, "resources"))
        for rule in entries(role, "rules")
    )
