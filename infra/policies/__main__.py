"""The rules as a CrossGuard pack: `pulumi up --policy-pack infra/policies`."""

from pulumi_policy import (
    EnforcementLevel,
    PolicyPack,
    ReportViolation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    StackValidationArgs,
    StackValidationPolicy,
)
from tenfold_policies import RESOURCE_RULES, STACK_RULES
from tenfold_policies.rules import ResourceRule, StackRule


def _resource_policy(rule: ResourceRule) -> ResourceValidationPolicy:
    def validate(args: ResourceValidationArgs, report: ReportViolation) -> None:
        for violation in rule.check(args.props):
            report(violation)

    return ResourceValidationPolicy(rule.name, rule.description, validate)


def _stack_policy(rule: StackRule) -> StackValidationPolicy:
    def validate(args: StackValidationArgs, report: ReportViolation) -> None:
        for violation in rule.check([resource.props for resource in args.resources]):
            report(violation)

    return StackValidationPolicy(rule.name, rule.description, validate)


PolicyPack(
    name="tenfold",
    enforcement_level=EnforcementLevel.MANDATORY,
    policies=[
        *(_resource_policy(rule) for rule in RESOURCE_RULES),
        *(_stack_policy(rule) for rule in STACK_RULES),
    ],
)
