"""What the watches told."""

from tenfold_operator.adapters.store import Store
from tenfold_operator.model.manifest import Ref

WEB = Ref("Workload", "shop", "web")


def pod(name, version="1", uid="u", **labels):
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


def names(store):
    return [each["metadata"]["name"] for each in store.related(WEB)]


def test_objects_are_found_by_the_resource_that_their_label_names():
    store = Store()
    store.put(pod("a"))
    store.put(pod("b", **{"tenfold.dev/workload": "other"}))
    assert names(store) == ["a"]


def test_an_older_state_does_not_replace_a_newer_one():
    store = Store()
    store.put(pod("a", version="10", state="new"))
    store.put(pod("a", version="9", state="old"))
    assert store.get(Ref("Pod", "shop", "a"))["metadata"]["labels"]["state"] == "new"


def test_a_successor_replaces_an_object_whatever_its_version():
    store = Store()
    store.put(pod("a", version="10", uid="first"))
    store.put(pod("a", version="9", uid="second"))
    assert store.get(Ref("Pod", "shop", "a"))["metadata"]["uid"] == "second"


def test_a_list_ends_what_a_broken_watch_did_not_tell():
    store = Store()
    store.put(pod("gone"))
    store.put(pod("there"))
    store.mark()
    store.replace("Pod", "shop", [pod("there")])
    assert names(store) == ["there"]


def test_what_changed_while_the_list_was_read_stays_as_it_is():
    store = Store()
    store.put(pod("deleted"))
    store.mark()
    store.put(pod("created"))
    store.drop(Ref("Pod", "shop", "deleted"))
    store.replace("Pod", "shop", [pod("deleted")])
    assert names(store) == ["created"]


def test_managed_fields_are_not_kept():
    store = Store()
    store.put(pod("a"))
    assert "managedFields" not in store.get(Ref("Pod", "shop", "a"))["metadata"]
