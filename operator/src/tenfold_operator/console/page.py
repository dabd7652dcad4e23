"""The console's page: plain HTML that refreshes itself."""

from collections.abc import Sequence
from html import escape

from tenfold_operator.model.base import JsonObject
from tenfold_operator.model.manifest import at, objects_at, text_at

_STYLE = """
:root { color-scheme: light dark; --line: #d0d7de; --good: #1a7f37; --bad: #cf222e; --dim: #57606a }
@media (prefers-color-scheme: dark) {
  :root { --line: #3d444d; --good: #3fb950; --bad: #ff7b72; --dim: #9198a1 }
}
body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 72rem; padding: 0 1rem }
table { border-collapse: collapse; width: 100%; margin: .5rem 0 1rem }
caption { text-align: left; font-weight: 600 }
th, td { text-align: left; padding: .3rem .6rem; border-bottom: 1px solid var(--line);
         vertical-align: top }
article { border: 1px solid var(--line); border-radius: .5rem; padding: 0 1rem; margin: 1rem 0 }
.good { color: var(--good) } .bad { color: var(--bad) } .dim { color: var(--dim) }
"""


def render(state: JsonObject) -> str:
    """Return the page for the state of console.state."""
    workloads = "".join(map(_workload, objects_at(state, "workloads")))
    tiers = "".join(map(_tier, objects_at(state, "redisTiers")))
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="refresh" content="5">
<title>Tenfold</title>
<style>{_STYLE}</style>
</head>
<body>
<header><h1>Tenfold</h1>
<p class="dim">Refreshes every 5 seconds.
As JSON: <a href="/api/v1/state">/api/v1/state</a></p></header>
<main>
<section aria-labelledby="workloads"><h2 id="workloads">Workloads</h2>
{workloads or "<p>There are none yet.</p>"}</section>
<section aria-labelledby="tiers"><h2 id="tiers">Redis tiers</h2>
{tiers or "<p>There are none yet.</p>"}</section>
</main>
</body>
</html>
"""


def _workload(resource: JsonObject) -> str:
    rows = [
        (
            text_at(each, "name"),
            f"{at(each, 'weight')} %",
            f"{at(each, 'readyReplicas')} of {at(each, 'replicas')}",
            text_at(each, "createdAt"),
        )
        for each in objects_at(resource, "status", "revisions")
    ]
    return _article(
        resource, _table("Revisions", ("revision", "traffic", "pods ready", "made"), rows)
    )


def _tier(resource: JsonObject) -> str:
    rows = [
        (text_at(each, "name"), text_at(each, "role"), _lag(each))
        for each in objects_at(resource, "status", "replicas")
    ]
    return _article(resource, _table("Servers", ("server", "role", "behind"), rows))


def _lag(server: JsonObject) -> str:
    lag = at(server, "lag")
    return "" if lag is None else f"{lag} s"


def _article(resource: JsonObject, details: str) -> str:
    name = f"{text_at(resource, 'namespace')}/{text_at(resource, 'name')}"
    conditions = "".join(map(_condition, objects_at(resource, "status", "conditions")))
    decisions = [
        (
            text_at(each, "time"),
            ("refused: " if each.get("refused") else "") + text_at(each, "what"),
            text_at(each, "why"),
        )
        for each in objects_at(resource, "decisions")
    ]
    return f"""<article><h3>{escape(name)}</h3>
<p>{escape(text_at(resource, "status", "message"))}</p>
<ul>{conditions}</ul>
{details}
{_table("Last decisions", ("time", "what", "why"), decisions)}</article>
"""


def _condition(condition: JsonObject) -> str:
    status = text_at(condition, "status")
    look = {"True": "good", "False": "bad"}.get(status, "dim")
    words = f"{text_at(condition, 'reason')}: {text_at(condition, 'message')}"
    kind = escape(text_at(condition, "type"))
    return f'<li>{kind} <strong class="{look}">{status}</strong> {escape(words)}</li>'


def _table(caption: str, heads: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    if not rows:
        return ""
    head = "".join(f'<th scope="col">{each}</th>' for each in heads)
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows
    )
    return f"<table><caption>{caption}</caption><tr>{head}</tr>{body}</table>"
