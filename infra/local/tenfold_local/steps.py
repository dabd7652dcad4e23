"""Progress on the terminal: each step says what it does, how long it took and what failed."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import ParamSpec

import typer
from rich.console import Console
from rich.markup import escape

from tenfold_local.shell import Failure

console = Console(highlight=False)

_P = ParamSpec("_P")


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


def reported(command: Callable[_P, None]) -> Callable[_P, None]:
    """Turn a command's Failure into its report and exit status 1."""

    @functools.wraps(command)
    def wrapped(*args: _P.args, **kwargs: _P.kwargs) -> None:
        try:
            command(*args, **kwargs)
        except Failure as failure:
            report(failure)
            raise typer.Exit(1) from failure

    return wrapped
