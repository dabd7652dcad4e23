"""What no stack may contain: rules over the Kubernetes objects that a stack registers.

Pure functions: the CrossGuard pack beside this package hands them what the engine shows it, the
tests hand them what the program registers with mocks.
"""

from tenfold_policies.rules import RESOURCE_RULES, STACK_RULES, violations

__all__ = ["RESOURCE_RULES", "STACK_RULES", "violations"]
