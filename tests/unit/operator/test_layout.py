"""The operator's place in the repository."""

import ast
from pathlib import Path

ROOT = Path(__file__).parents[3]


def test_the_folder_operator_is_no_package() -> None:
    # With an __init__.py, `import operator` at the checkout's root would find this folder instead
    # of the standard library's module, and nearly everything would break.
    assert (ROOT / "operator").is_dir()
    assert not (ROOT / "operator" / "__init__.py").exists()


def test_plans_do_not_read_the_clock() -> None:
    for path in (ROOT / "operator/src/tenfold_operator/plan").rglob("*.py"):
        calls = [
            node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)
        ]
        names = {call.func.attr for call in calls if isinstance(call.func, ast.Attribute)}
        assert not names & {"now", "utcnow", "today", "monotonic"}, path
