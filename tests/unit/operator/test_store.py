"""What the watches told."""

from typing import Any

from tenfold_operator.adapters.store import Store
from tenfold_operator.model.manifest import Ref, object_at

WEB = Ref("Workload", "shop", "web")


def pod(name: str, version: str = "1", uid: str = "u", **labels: str) -> Any:
    return {
        "kind": "Pod",
        "metadata": {
            "name": name,
            "namespace": "shop",
            "uid": uid,
            "resourceVersion": version,
            "labels": {"tenfold.dev/workload": "web", **labels},
            "managedFields": [{"manager": "kubelet"}],
        },
    }


def metadata_of(store: Store) -> Any:
    return object_at(store.get(Ref("Pod", "shop", "a")) or {}, "metadata")


def names(store: Store) -> list[Any]:
    related: Any = store.related(WEB)
    return [each["metadata"]["name"] for each in related]


def test_objects_are_found_by_the_resource_that_their_label_names() -> None:
    store = Store()
    store.put(pod("a"))
    store.put(pod("b", **{"tenfold.dev/workload": "other"}))
    assert names(store) == ["a"]


def test_an_older_state_does_not_replace_a_newer_one() -> None:
    store = Store()
    store.put(pod("a", version="10", state="new"))
    store.put(pod("a", version="9", state="old"))
    assert metadata_of(store)["labels"]["state"] == "new"


def test_a_successor_replaces_an_object_whatever_its_version() -> None:
    store = Store()
    store.put(pod("a", version="10", uid="first"))
    store.put(pod("a", version="9", uid="second"))
    assert metadata_of(store)["uid"] == "second"


def test_a_list_ends_what_a_broken_watch_did_not_tell() -> None:
    store = Store()
    store.put(pod("gone"))
    store.put(pod("there"))
    store.mark()
    store.replace("Pod", "shop", [pod("there")])
    assert names(store) == ["there"]


def test_what_changed_while_the_list_was_read_stays_as_it_is() -> None:
    store = Store()
    store.put(pod("deleted"))
    store.mark()
    store.put(pod("created"))
    store.drop(Ref("Pod", "shop", "deleted"))
    store.replace("Pod", "shop", [pod("deleted")])
    assert names(store) == ["created"]


def test_managed_fields_are_not_kept() -> None:
    store = Store()
    store.put(pod("a"))
    assert "managedFields" not in metadata_of(store)
