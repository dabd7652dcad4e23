"""The language host: what a program sees, and how its mistakes come out."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.plugins.stack import Stack

# It needs the engine, which is built on the way to the cluster.
pytestmark = pytest.mark.cluster


@pytest.fixture
def stack(empty_stack: Stack, tmp_path: Path) -> Stack:
    """A stack that needs no cluster."""
    return empty_stack.copy(tmp_path / "stack", tmp_path / "no-kubeconfig")


def test_a_program_sees_its_project_its_configuration_and_its_own_folder(stack: Stack) -> None:
    stack.run("config", "set", "colour", "blue", "--stack=dev")
    stack.run("config", "set", "--secret", "token", "s3cr3t-token", "--stack=dev")
    stack.program(
        """
        import os
        import sys

        config = pulumi.Config()
        pulumi.export("colour", config.require("colour"))
        pulumi.export("token", config.require_secret("token"))
        names = [pulumi.get_organization(), pulumi.get_project(), pulumi.get_stack()]
        pulumi.export("stack", "/".join(names))
        pulumi.export("folders", [os.getcwd(), pulumi.get_root_directory(), sys.path[0]])
        pulumi.export("program", sys.argv)
        print("printed by the program")
        """
    )
    output = stack.up()
    assert 'colour : "blue"' in output
    assert "token  : [secret]" in output
    assert "s3cr3t-token" not in output + stack.checkpoint()
    assert 'stack  : "organization/behaviour/dev"' in output
    assert f'[0]: "{stack.folder / "program"}"' in output
    assert f'[1]: "{stack.folder}"' in output
    assert "printed by the program" in output


def test_preview_and_update_each_run_the_whole_program(stack: Stack) -> None:
    (stack.folder / "program" / "parts.py").write_text(
        "import pulumi\nruns = []\ndry = pulumi.runtime.is_dry_run()\n"
    )
    stack.program(
        """
        import parts

        parts.runs.append("run")
        print(f"runs={len(parts.runs)} dry={parts.dry}")
        """
    )
    # One engine process previews and then updates; a module is new in each.
    output = stack.run("up", "--yes", "--non-interactive", "--color=never", "--stack=dev")
    assert "runs=1 dry=True" in output
    assert "runs=1 dry=False" in output
    assert "runs=2" not in output


@pytest.mark.parametrize(
    ("program", "message"),
    [
        ("def broken():\n    raise KeyError('no-such-tenant')\nbroken()", "no-such-tenant"),
        ("pulumi.Output.from_input(1).apply(lambda _: {}['absent'])", "absent"),
        ("import sys\nsys.exit('stopped by the program')", "stopped by the program"),
        ("import no_such_module", "No module named 'no_such_module'"),
    ],
)
def test_an_exception_is_one_diagnostic_with_the_program_s_traceback(
    stack: Stack, program: str, message: str
) -> None:
    stack.program(program)
    output = stack.fail_up()
    diagnostics = output.partition("Diagnostics:")[2]
    assert diagnostics.count("Program failed with an unhandled exception:") == 1
    assert message in diagnostics
    assert "program/__main__.py" in diagnostics
    assert "tenfold_pulumi_plugins" not in diagnostics
    assert "runpy" not in diagnostics


def test_an_error_meant_for_the_user_comes_without_a_traceback(stack: Stack) -> None:
    stack.program('raise pulumi.RunError("tenants: two mistakes in the configuration")')
    diagnostics = stack.fail_up().partition("Diagnostics:")[2]
    assert diagnostics.count("tenants: two mistakes in the configuration") == 1
    assert "Traceback" not in diagnostics
