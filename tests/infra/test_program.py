"""What the program registers, for both stacks."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import yaml
from tenfold_gateway import settings
from tenfold_gateway.marketplaces import MARKETPLACES
from tenfold_infra import images
from tenfold_infra.components.files import CHECKSUM_ANNOTATION
from tenfold_infra.config import parse
from tenfold_infra.naming import TRAINING_NAMESPACE
from tenfold_operator.plan.training_job import TrainingJobs
from tenfold_webhooks.sources import SOURCES

from tests.infra.rendering import (
    Document,
    Registered,
    Run,
    run_program,
    stack_config,
    with_training_jobs,
)

Rendered = Callable[[str], Run]


def pods(run: Run) -> Iterator[tuple[str, Document]]:
    """Yield every pod template's spec with its owner's name."""
    for kind in ("Deployment", "StatefulSet", "Workload"):
        for resource in run.objects(kind):
            yield f"{kind} {resource.name}", resource.document["spec"]["template"]["spec"]


def template(resource: Registered) -> Document:
    found: Document = resource.document["spec"]["template"]
    return found


def test_every_object_says_whose_it_is(run: Run) -> None:
    for resource in run.objects():
        labels = resource.document["metadata"]["labels"]
        assert labels["app.kubernetes.io/part-of"] == "tenfold"
        assert labels["app.kubernetes.io/managed-by"] == "pulumi"


def test_every_object_belongs_to_a_component(run: Run) -> None:
    parents = {resource.parent.rpartition("$")[2].partition("::")[0] for resource in run.objects()}
    names = (
        "Guardrails",
        "Gateway",
        "Monitoring",
        "Operator",
        "Guard",
        "RedisTiers",
        "Services",
    )
    simulated = {"tenfold:infra:Simulator"} & parents
    assert parents == {f"tenfold:infra:{name}" for name in names} | simulated


def test_every_container_runs_a_program_by_name_as_a_user_who_is_not_root(run: Run) -> None:
    for owner, spec in pods(run):
        assert spec["securityContext"]["runAsUser"] > 0, owner
        for container in spec["containers"]:
            assert container["imagePullPolicy"] == "IfNotPresent", owner
            if container["name"] != "grafana":  # upstream's own start script reads its settings
                assert "/" not in container["command"][0], owner


def test_every_container_is_watched(run: Run) -> None:
    for owner, spec in pods(run):
        for container in spec["containers"]:
            assert {"readinessProbe", "livenessProbe"} <= container.keys(), owner


def test_only_pods_that_ask_the_api_server_carry_a_token(run: Run) -> None:
    with_token = {owner for owner, spec in pods(run) if spec["automountServiceAccountToken"]}
    assert with_token == {
        "Deployment traefik",
        "Deployment operator",
        "Deployment guard",
        "StatefulSet prometheus",
    }


def test_custom_resources_are_awaited(run: Run) -> None:
    awaited = {
        resource.kind: resource.document["metadata"]["annotations"]["pulumi.com/waitFor"]
        for kind in ("GatewayClass", "Gateway", "RedisTier", "Workload")
        for resource in run.objects(kind)
    }
    assert awaited == {
        "GatewayClass": "condition=Accepted",
        "Gateway": "condition=Programmed",
        "RedisTier": "condition=Ready",
        "Workload": "condition=Ready",
    }


def test_the_operator_comes_before_its_resources_and_goes_after_them(run: Run) -> None:
    operator = run.one("Deployment", "operator", "tenfold-system")
    definitions = {resource.urn for resource in run.objects("CustomResourceDefinition")}
    for kind in ("RedisTier", "Workload"):
        for resource in run.objects(kind):
            assert {operator.urn, *definitions} <= resource.dependencies


def test_a_namespace_is_closed_before_anything_is_put_in_it(run: Run) -> None:
    for kind in ("Deployment", "StatefulSet", "Role", "ConfigMap", "RedisTier", "Workload"):
        for resource in run.objects(kind):
            if resource.namespace in ("default", "kube-system"):  # Kubernetes' own
                continue
            namespace = run.one("Namespace", resource.namespace)
            denying = run.one("NetworkPolicy", "default-deny", resource.namespace)
            assert {namespace.urn, denying.urn} <= resource.dependencies, resource.name


def test_a_service_is_not_awaited_before_its_pods(run: Run) -> None:
    pods_of = {
        (r.namespace, template(r)["metadata"]["labels"]["app.kubernetes.io/name"]): r.urn
        for kind in ("Deployment", "StatefulSet")
        for r in run.objects(kind)
    }
    for service in run.objects("Service"):
        name = service.document["spec"]["selector"]["app.kubernetes.io/name"]
        assert pods_of[service.namespace, name] in service.dependencies


def test_the_number_of_pods_of_a_workload_is_left_to_whoever_scales_it(run: Run) -> None:
    assert run.one("Workload", "gateway", "marketplace").ignored == ("spec.replicas",)


def test_nothing_is_given_rights_on_secrets_of_all_namespaces(run: Run) -> None:
    for role in run.objects("ClusterRole"):
        bound_everywhere = any(
            binding.document["roleRef"]["name"] == role.name
            for binding in run.objects("ClusterRoleBinding")
        )
        resources = {r for rule in role.document["rules"] for r in rule.get("resources", [])}
        assert not (bound_everywhere and {"secrets", "*"} & resources), role.name


def test_the_guard_may_do_nothing_to_pods_but_say_that_they_are_not_ready(run: Run) -> None:
    rules = run.one("Role", "tenfold-guard", "marketplace").document["rules"]
    rights = {(*rule["resources"], *rule["verbs"]) for rule in rules}
    assert rights == {("pods", "list"), ("pods/status", "patch")}


def test_the_operator_cannot_list_secrets(run: Run) -> None:
    rules = run.one("Role", "tenfold-operator", "marketplace").document["rules"]
    (verbs,) = (rule["verbs"] for rule in rules if "secrets" in rule["resources"])
    assert verbs == ["get", "create"]


def test_the_tenants_service_uses_its_tier_and_takes_the_password_from_the_secret(
    run: Run,
) -> None:
    (container,) = template(run.one("Workload", "gateway", "marketplace"))["spec"]["containers"]
    variables = {variable["name"]: variable for variable in container["env"]}
    assert variables["REDIS_URL"]["value"] == "redis://l2.marketplace.svc:6379/0"
    assert variables["REDIS_PASSWORD"]["valueFrom"] == {
        "secretKeyRef": {"name": "l2-auth", "key": "password"}
    }


def test_webhooks_are_kept_in_a_tier_of_their_own_and_verified_by_the_secret(run: Run) -> None:
    webhooks = run.one("Workload", "webhooks", "marketplace")
    assert webhooks.document["spec"]["route"]["pathPrefix"] == "/v1/webhooks"
    assert webhooks.ignored == ("spec.replicas",)
    (container,) = template(webhooks)["spec"]["containers"]
    variables = {variable["name"]: variable for variable in container["env"]}
    assert variables["REDIS_URL"]["value"] == "redis://events.marketplace.svc:6379/0"
    assert variables["TENFOLD_ACKNOWLEDGING_REPLICAS"]["value"] == "1"
    assert variables["TENFOLD_SECRETS"]["valueFrom"] == {
        "secretKeyRef": {"name": "marketplaces", "key": "webhooks"}
    }


def test_the_gateway_knows_its_marketplaces_from_a_secret_that_may_come_later(run: Run) -> None:
    (container,) = template(run.one("Workload", "gateway", "marketplace"))["spec"]["containers"]
    variables = {variable["name"]: variable for variable in container["env"]}
    assert variables["TENFOLD_UPSTREAMS"]["valueFrom"] == {
        "secretKeyRef": {"name": "marketplaces", "key": "upstreams", "optional": True}
    }
    assert variables["TENFOLD_JWKS"]["value"].endswith("jwks.json")


def test_marketplaces_are_simulated_locally_and_what_they_give_us_is_in_the_secret(
    rendered: Rendered,
) -> None:
    run = rendered("local")
    simulator = run.one("Deployment", "marketplaces", "marketplace")
    assert simulator.document["spec"]["replicas"] == 1
    values = run.one("Secret", "marketplaces", "marketplace").document["stringData"]
    upstreams = settings.Settings.model_validate(
        {"REDIS_URL": "redis://l2:6379", "upstreams": json.loads(values["upstreams"])}
    ).upstreams
    assert set(upstreams) == set(MARKETPLACES)
    address = str(upstreams["n11"].url)
    assert address == "http://marketplaces.marketplace.svc:8080/n11"
    assert set(json.loads(values["webhooks"])) == set(SOURCES)
    production = rendered("production")
    assert not [r for r in production.objects() if r.name == "marketplaces"]


def test_own_images_are_deployed_under_the_reference_that_is_built(run: Run) -> None:
    (container,) = template(run.one("Deployment", "operator", "tenfold-system"))["spec"][
        "containers"
    ]
    registry = container["image"].rpartition("/")[0]
    assert container["image"] == images.OPERATOR.reference(registry, "source")


def test_a_person_finds_everything_in_the_outputs(run: Run) -> None:
    assert {"gateway", "prometheus", "console", "alertmanager", "namespaces", "tiers"} <= set(
        run.outputs
    )
    assert run.outputs["tiers"]["marketplace/l2"] == "l2.marketplace.svc:6379"


def test_the_local_stack_says_its_node_ports(rendered: Rendered) -> None:
    outputs = rendered("local").outputs
    ports = {name: outputs[name]["nodePort"] for name in ("gateway", "prometheus", "console")}
    assert ports == {"gateway": 30080, "prometheus": 30090, "console": 30081}


def test_the_console_has_a_way_through_the_gateway_that_no_tenant_can_take(
    rendered: Rendered,
) -> None:
    run = rendered("production")
    listeners = run.one("Gateway", "tenfold", "tenfold-gateway").document["spec"]["listeners"]
    takes = {each["name"]: each["allowedRoutes"]["namespaces"]["selector"] for each in listeners}
    assert takes["console"] == {"matchLabels": {"kubernetes.io/metadata.name": "tenfold-system"}}
    assert takes["web"] == {
        "matchExpressions": [{"key": "tenfold.dev/tenant", "operator": "Exists"}]
    }
    route = run.one("HTTPRoute", "console", "tenfold-system").document["spec"]
    (parent,) = route["parentRefs"]
    assert parent["sectionName"] == "console"
    console = run.one("Service", "operator", "tenfold-system").document["spec"]["ports"]
    (backend,) = route["rules"][0]["backendRefs"]
    assert backend["port"] in {each["port"] for each in console}
    (traefik,) = template(run.one("Deployment", "traefik", "tenfold-gateway"))["spec"]["containers"]
    ports = {each["name"]: each["containerPort"] for each in traefik["ports"]}
    assert f"--entrypoints.console.address=:{ports['console']}" in traefik["args"]
    assert {each["name"]: each["port"] for each in listeners}.items() <= ports.items()
    service = run.one("Service", "gateway", "tenfold-gateway").document["spec"]["ports"]
    assert {each["targetPort"]: each["port"] for each in service} == {"web": 80, "console": 8081}


def test_traefik_looks_into_the_operators_namespace_only_for_the_console(
    rendered: Rendered,
) -> None:
    for stack, is_routed in (("production", True), ("local", False)):
        run = rendered(stack)
        roles = [each for each in run.objects("Role") if each.namespace == "tenfold-system"]
        assert any("traefik" in each.name for each in roles) is is_routed


class TestProduction:
    """What the platform's report asks of production."""

    def test_failures_of_replicated_tiers_are_predicted_and_hand_overs_only_said(
        self, rendered: Rendered
    ) -> None:
        run = rendered("production")
        detectors = {each.document["metadata"]["name"] for each in run.objects("AnomalyDetector")}
        assert detectors == {"l2-health", "l3-health", "events-health"}
        for tier in run.objects("RedisTier"):
            spec, name = tier.document["spec"], tier.document["metadata"]["name"]
            if spec["topology"] == "replicated":
                assert spec["handover"]["mode"] == "dryRun"
                assert spec["handover"]["suspicion"] == {"detectors": [f"{name}-health"]}
            else:
                assert "suspicion" not in spec["handover"]

    def test_tiers_have_the_reports_sizes(self, rendered: Rendered) -> None:
        specs = {
            tier.name: tier.document["spec"] for tier in rendered("production").objects("RedisTier")
        }
        sizes = {
            name: spec.get("shards", 1) * int(spec["memory"].removesuffix("Gi"))
            for name, spec in specs.items()
        }
        assert sizes == {"l2": 4, "l3": 2, "l4": 16, "events": 2}
        assert specs["l4"]["topology"] == "cluster"

    def test_every_zone_of_three_can_be_lost(self, rendered: Rendered) -> None:
        run = rendered("production")
        traefik = run.one("Deployment", "traefik", "tenfold-gateway").document["spec"]
        spread = traefik["template"]["spec"]["topologySpreadConstraints"]
        assert spread[0]["topologyKey"] == "topology.kubernetes.io/zone"
        assert traefik["replicas"] >= 3
        assert run.one("Workload", "gateway", "marketplace").document["spec"]["replicas"] >= 3
        for tier in run.objects("RedisTier"):
            assert 1 + tier.document["spec"]["replicas"] >= 3

    def test_volumes_use_the_storage_class(self, rendered: Rendered) -> None:
        run = rendered("production")
        prometheus = run.one("StatefulSet", "prometheus", "tenfold-monitoring").document["spec"]
        (claim,) = prometheus["volumeClaimTemplates"]
        assert claim["spec"]["storageClassName"] == "fast-ssd"
        for tier in run.objects("RedisTier"):
            assert tier.document["spec"]["persistence"]["storageClassName"] == "fast-ssd"

    def test_grafana_runs_there_and_not_locally(self, rendered: Rendered) -> None:
        names = {
            stack: {r.name for r in rendered(stack).objects("Deployment")}
            for stack in ("local", "production")
        }
        assert names["production"] - names["local"] == {"grafana"}

    def test_customers_come_through_a_load_balancer(self, rendered: Rendered) -> None:
        services = rendered("production").objects("Service")
        exposed = {r.name for r in services if r.document["spec"].get("type") == "LoadBalancer"}
        assert exposed == {"gateway"}
        assert not any("nodePort" in port for r in services for port in r.document["spec"]["ports"])


class TestChanges:
    """What a changed configuration does to running pods."""

    @staticmethod
    def checksum(run: Run) -> str:
        prometheus = run.one("StatefulSet", "prometheus", "tenfold-monitoring")
        return str(template(prometheus)["metadata"]["annotations"][CHECKSUM_ANNOTATION])

    def test_prometheus_rolls_when_its_configuration_changes(self, rendered: Rendered) -> None:
        config = stack_config("local")
        tenants = yaml.safe_load(config["tenfold:tenants"])
        renamed = parse(
            config | {"tenfold:tenants": str([tenants[0] | {"name": "other"}]).replace("'", '"')}
        )
        assert self.checksum(run_program(renamed, "local")) != self.checksum(rendered("local"))

    def test_the_same_configuration_registers_the_same(self, rendered: Rendered) -> None:
        again = run_program(parse(stack_config("local")), "local")
        before = {r.urn: r.document for r in rendered("local").objects()}
        assert {r.urn: r.document for r in again.objects()} == before


def test_the_console_asks_for_a_token_in_production_and_for_none_locally(
    rendered: Rendered,
) -> None:
    for stack, wanted in (("local", None), ("production", "/etc/tenfold/console")):
        operator = rendered(stack).one("Deployment", "operator", "tenfold-system")
        spec = template(operator)["spec"]
        (container,) = spec["containers"]
        env = {each["name"]: each["value"] for each in container["env"]}
        token = env.get("TENFOLD_CONSOLE_TOKEN_FILE")
        secrets = [each["secret"]["secretName"] for each in spec["volumes"] if "secret" in each]
        mounts = {each["name"]: each["mountPath"] for each in container["volumeMounts"]}
        assert mounts.get("console") == wanted
        assert token == (f"{wanted}/token" if wanted else None)
        assert secrets == (["console"] if wanted else [])


class TestTraining:
    """Jobs of trainings, and the rights that the operator has for them."""

    @staticmethod
    def environment(run: Run) -> dict[str, str]:
        operator = run.one("Deployment", "operator", "tenfold-system")
        (container,) = template(operator)["spec"]["containers"]
        return {each["name"]: each["value"] for each in container["env"]}

    def test_without_jobs_there_is_no_place_for_them(self, run: Run) -> None:
        assert "TENFOLD_TRAINING_JOBS" not in self.environment(run)
        assert not [each for each in run.objects() if "training" in each.name]

    def test_with_jobs_it_may_make_them_and_read_what_they_print(
        self, config: dict[str, str], rendered: Rendered
    ) -> None:
        run = run_program(parse(with_training_jobs(config)), "local")
        role = run.one("Role", "tenfold-operator", TRAINING_NAMESPACE)
        rights = {
            (verb, resource)
            for rule in role.document["rules"]
            for verb in rule["verbs"]
            for resource in rule["resources"]
        }
        # What handlers/training_jobs.py asks for: tests/unit/operator/test_training_jobs.py.
        assert rights == {
            ("list", "jobs"),
            ("create", "jobs"),
            ("get", "jobs"),
            ("delete", "jobs"),
            ("create", "configmaps"),
            ("list", "pods"),
            ("get", "pods/log"),
        }
        binding = run.one("RoleBinding", "tenfold-operator", TRAINING_NAMESPACE).document
        assert binding["roleRef"]["name"] == role.name

    def test_with_jobs_nothing_else_changes_and_they_find_nothing_where_they_run(
        self, config: dict[str, str], rendered: Rendered
    ) -> None:
        run = run_program(parse(with_training_jobs(config)), "local")
        before = {each.urn for each in rendered("local").objects()}
        new = [each for each in run.objects() if each.urn not in before]
        (namespace,) = (each for each in new if each.kind == "Namespace")
        labels = namespace.document["metadata"]["labels"]
        assert labels["pod-security.kubernetes.io/enforce"] == "restricted"
        others = [each for each in new if each is not namespace]
        assert {each.namespace for each in others} == {namespace.name} == {TRAINING_NAMESPACE}
        # Neither an account nor a Secret that a Job could take.
        assert {each.kind for each in others} == {
            "LimitRange",
            "NetworkPolicy",
            "Role",
            "RoleBinding",
        }
        for binding in (each.document for each in run.objects("RoleBinding")):
            assert not [
                subject
                for subject in binding["subjects"]
                if subject.get("namespace") == TRAINING_NAMESPACE
            ]

    def test_jobs_are_as_the_stack_says_and_run_the_operators_image(
        self, config: dict[str, str]
    ) -> None:
        resources = {
            "requests": {"cpu": "100m", "memory": "256Mi"},
            "limits": {"cpu": "2", "memory": "1Gi"},
        }
        changed = with_training_jobs(config, parallel=7, resources=resources)
        run = run_program(parse(changed), "local")
        said = self.environment(run)["TENFOLD_TRAINING_JOBS"]
        jobs = TrainingJobs.model_validate_json(said)
        operator = run.one("Deployment", "operator", "tenfold-system")
        assert jobs.image == template(operator)["spec"]["containers"][0]["image"]
        assert (jobs.namespace, jobs.parallel) == (TRAINING_NAMESPACE, 7)
        assert jobs.resources.model_dump() == resources
