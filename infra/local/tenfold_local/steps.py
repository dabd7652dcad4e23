"""Progress on the terminal: each step says what it does, how long it took and what failed."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape

from tenfold_local.shell import Failure

console = Console(highlight=False)


@contextmanager
def step(title: str) -> Iterator[None]:
    """Show one step; a Failure inside it is reported under the step's name."""
    start = time.monotonic()
    if not console.is_terminal:
        console.print(f"… {escape(title)}")
    try:
        with console.status(escape(title)):
            yield
    except Failure:
        console.print(f"[red]✗[/] {escape(title)} [dim]{time.monotonic() - start:.1f} s[/]")
        raise
    console.print(f"[green]✓[/] {escape(title)} [dim]{time.monotonic() - start:.1f} s[/]")


def report(failure: Failure) -> None:
    """Print a failure: what, the log to read and the next thing to try."""
    console.print(f"[red]{escape(failure.what)}[/]", soft_wrap=True)
    if failure.log:
        console.print(f"  log:  {failure.log}", soft_wrap=True)
    if failure.hint:
        console.print(f"  next: {escape(failure.hint)}", soft_wrap=True)
