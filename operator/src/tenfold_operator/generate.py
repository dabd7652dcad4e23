"""tenfold-generate: write the models and the reference page out of the CRD files."""

import argparse
import difflib
import subprocess
import sys
from pathlib import Path

import yaml

from tenfold_operator.generator import reference
from tenfold_operator.generator.models import render_models
from tenfold_operator.generator.schema import Crd


def render_all(root: Path) -> dict[Path, str]:
    """Return the generated files of the checkout at `root`, by path."""
    crds = [
        Crd.parse(yaml.safe_load(path.read_text()))
        for path in sorted((root / "operator/crds").glob("*.yaml"))
    ]
    if not crds:
        raise SystemExit(f"no CRDs in {root}/operator/crds: run this at the root of the checkout")
    examples = {
        crd.kind: (root / f"operator/examples/{crd.singular}.yaml").read_text() for crd in crds
    }
    return {
        root / "operator/src/tenfold_operator/model/generated.py": _formatted(render_models(crds)),
        root / "docs/reference/crds.md": reference.render(crds, examples),
    }


def _formatted(source: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "ruff", "format", "--line-length", "100", "-"],
        input=source,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def main() -> None:
    """Write the generated files, or with --check exit 1 when one differs."""
    parser = argparse.ArgumentParser(prog="tenfold-generate", description=__doc__)
    parser.add_argument("--check", action="store_true", help="only say what differs; exit 1")
    parser.add_argument("--root", type=Path, default=Path.cwd(), help="the checkout")
    arguments = parser.parse_args()
    stale = False
    for path, wanted in render_all(arguments.root).items():
        found = path.read_text() if path.exists() else ""
        if found == wanted:
            continue
        stale = True
        name = str(path.relative_to(arguments.root))
        if arguments.check:
            lines = difflib.unified_diff(
                found.splitlines(True), wanted.splitlines(True), name, f"{name} (generated)"
            )
            sys.stdout.writelines(lines)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(wanted)
            print(f"wrote {name}")
    if arguments.check and stale:
        raise SystemExit("generated files differ from operator/crds: run `tenfold-generate`")


if __name__ == "__main__":
    main()
