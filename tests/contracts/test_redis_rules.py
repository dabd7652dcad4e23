"""A tier's users get no right over its servers; TLS is for tiers of either topology."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from tenfold_operator.model.generated import RedisTierUser

from tests.contracts.test_crd_rules import ROOT, refusals, with_defaults

CRD = yaml.safe_load(Path(ROOT / "operator/crds/redistiers.yaml").read_text())
SPEC = CRD["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]
SCHEMA = SPEC["properties"]["users"]["items"]
RULES = "~cache:* +@read +@write"


def user(name: str = "app", rules: str = RULES) -> dict[str, Any]:
    found = with_defaults(SCHEMA, {"name": name, "passwordSecret": {"name": "app"}, "rules": rules})
    assert isinstance(found, dict)
    return found


def refused(name: str = "app", rules: str = RULES) -> list[str]:
    return list(refusals(SCHEMA, user(name, rules)))


@pytest.mark.parametrize(
    "rules",
    [
        RULES,
        "allkeys +@all_of_a_module -@dangerous",
        "%R~sessions:* %RW~cache:*  ~{a}[b]?* +get +client|setname -flushall",
        "&news:* &__keyspace@0__:* ~* +@pubsub +@slow",
        "~+@all +get",
        "+roles",
    ],
)
def test_rules_that_give_rights_over_keys_and_channels_are_accepted(rules: str) -> None:
    assert refused(rules=rules) == []
    assert RedisTierUser.model_validate(user(rules=rules))


@pytest.mark.parametrize(
    "word",
    [
        *("on", "off", "nopass", "reset", "resetpass", "allcommands", "allchannels"),
        *(">password", "<password", "#5e884898", "!5e884898", "(~a", "+get)"),
        *("skip-sanitize-payload", "+GET", "+@ALL", '~a"b', "~a'b", "~a\nuser", "~a\tb"),
        # By these channels the Sentinels tell each other who is the primary.
        *("&*", "&__sentinel__:hello", "&_*", "&?*", "&[_a]*", "&__*", "&"),
    ],
)
def test_words_that_are_no_right_over_keys_or_channels_are_refused(word: str) -> None:
    for rules in (word, f"~a {word}", f"{word} ~a"):
        assert any("rules holds" in each for each in refused(rules=rules)), rules


@pytest.mark.parametrize(
    "word", ["+@all", "+@admin", "+@dangerous", "+acl", "+config", "+config|get", "+replicaof"]
)
def test_rights_over_the_servers_are_refused(word: str) -> None:
    for rules in (word, f"~a {word}", f"{word}  ~a"):
        (found,) = refused(rules=rules)
        assert "no user may administer" in found
    assert refused(rules=word.replace("+", "-")) == []


@pytest.mark.parametrize("name", ["default", "tenfold", "tenfold-exporter"])
def test_names_that_somebody_else_has_are_refused(name: str) -> None:
    (found,) = refused(name=name)
    assert "neither default" in found


@pytest.mark.parametrize("topology", [{}, {"topology": "cluster", "shards": 3}])
def test_tls_is_for_tiers_of_either_topology(topology: dict[str, Any]) -> None:
    lasting = [each for each in SPEC["x-kubernetes-validations"] if "oldSelf" not in each["rule"]]
    schema = {**SPEC, "x-kubernetes-validations": lasting}
    spec = {"memory": "1Gi", "tls": {"secretName": "s"}, **topology}
    assert list(refusals(schema, with_defaults(schema, spec))) == []
