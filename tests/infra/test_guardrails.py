"""What holds in every namespace, whatever runs there."""

from __future__ import annotations

from tenfold_infra import naming

from tests.infra.rendering import Run


def test_every_namespace_takes_restricted_pods_only(run: Run) -> None:
    for namespace in run.objects("Namespace"):
        labels = namespace.document["metadata"]["labels"]
        assert labels["pod-security.kubernetes.io/enforce"] == "restricted"


def test_a_tenants_namespace_carries_the_label_that_routes_are_admitted_by(run: Run) -> None:
    marketplace = run.one("Namespace", "marketplace")
    assert marketplace.document["metadata"]["labels"][naming.TENANT_LABEL] == "marketplace"


def test_every_namespace_has_default_deny_and_defaults_for_containers(run: Run) -> None:
    for namespace in run.objects("Namespace"):
        run.one("NetworkPolicy", "default-deny", namespace.name)
        run.one("LimitRange", "containers", namespace.name)


def test_a_tenant_cannot_open_ports_of_the_nodes(run: Run) -> None:
    hard = run.one("ResourceQuota", "tenant", "marketplace").document["spec"]["hard"]
    assert (hard["services.nodeports"], hard["services.loadbalancers"]) == ("0", "0")


def test_the_quota_has_room_for_all_tiers_and_a_rollout(run: Run) -> None:
    def mebibytes(quantity: str) -> int:
        return int(quantity[:-2]) * {"Mi": 1, "Gi": 1024}[quantity[-2:]]

    redis = sum(
        mebibytes(tier.document["spec"]["resources"]["requests"]["memory"])
        * (1 + tier.document["spec"]["replicas"])
        for tier in run.objects("RedisTier")
    )
    workload = run.one("Workload", "gateway", "marketplace").document["spec"]
    (container,) = workload["template"]["spec"]["containers"]
    pods = 2 * workload["replicas"] * mebibytes(container["resources"]["requests"]["memory"])
    quota = run.one("ResourceQuota", "tenant", "marketplace").document["spec"]["hard"]
    assert redis + pods < mebibytes(quota["requests.memory"])


_TENFOLD, _SEE = naming.API_GROUP, ("get", "list")


class TestPersonas:
    """What people may do."""

    @staticmethod
    def granted(run: Run, persona: str) -> set[tuple[str, str, str]]:
        rules = run.one("ClusterRole", f"tenfold-{persona}").document["rules"]
        return {
            (group, resource, verb)
            for rule in rules
            for group in rule["apiGroups"]
            for resource in rule["resources"]
            for verb in rule["verbs"]
        }

    def test_a_viewer_changes_nothing(self, run: Run) -> None:
        verbs = {verb for _, _, verb in self.granted(run, "viewer")}
        assert verbs == {"get", "list", "watch"}

    def test_only_admins_reach_secrets(self, run: Run) -> None:
        def reaches(persona: str) -> bool:
            return any(resource == "secrets" for _, resource, _ in self.granted(run, persona))

        assert [reaches(p) for p in ("viewer", "developer", "platform-admin")] == [
            False,
            False,
            True,
        ]

    def test_a_developer_may_do_what_kubectl_tenfold_does_to_workloads(self, run: Run) -> None:
        seen = {(_TENFOLD, kind, verb) for kind in ("workloads", "redistiers") for verb in _SEE}
        needed = seen | {(_TENFOLD, "workloads", "patch"), ("apps", "deployments", "list")}
        assert {each for each in needed if not self.allows(run, "developer", each)} == set()
        assert not self.allows(run, "viewer", (_TENFOLD, "workloads", "patch"))

    def test_only_admins_hand_a_tier_over(self, run: Run) -> None:
        order = (_TENFOLD, "redistiers", "patch")
        may = [self.allows(run, p, order) for p in ("viewer", "developer", "platform-admin")]
        assert may == [False, False, True]

    def allows(self, run: Run, persona: str, right: tuple[str, str, str]) -> bool:
        group, _, verb = right
        return not self.granted(run, persona).isdisjoint({right, (group, "*", verb)})

    def test_a_developer_delivers_workloads_and_leaves_redis_alone(self, run: Run) -> None:
        granted = self.granted(run, "developer")
        assert ("tenfold.dev", "workloads", "patch") in granted
        assert ("tenfold.dev", "redistiers", "patch") not in granted
        assert ("tenfold.dev", "*", "patch") not in granted

    def test_each_persona_includes_the_one_below(self, run: Run) -> None:
        viewer, developer, admin = (
            self.granted(run, persona) for persona in ("viewer", "developer", "platform-admin")
        )
        assert viewer < developer < admin

    def test_tenants_people_have_rights_in_their_namespace_alone(self, run: Run) -> None:
        bound = {
            (subject["name"], binding.namespace)
            for binding in run.objects("RoleBinding")
            for subject in binding.document["subjects"]
            if subject["kind"] == "Group"
        }
        assert {place for group, place in bound if group.startswith("tenfold:marketplace:")} == {
            "marketplace"
        }

    def test_no_group_has_rights_on_the_whole_cluster(self, run: Run) -> None:
        kinds = {
            subject["kind"]
            for binding in run.objects("ClusterRoleBinding")
            for subject in binding.document["subjects"]
        }
        assert kinds == {"ServiceAccount"}
