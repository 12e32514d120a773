"""What the commands write: results on stdout, complaints on stderr."""

from __future__ import annotations

from rich.console import Console

console = Console(highlight=False)
errors = Console(stderr=True, highlight=False)


def complain(message: str) -> None:
    """Write an error message."""
    errors.print(f"[bold red]error:[/] {_escaped(message)}", soft_wrap=True)


def note(message: str) -> None:
    """Write beside the results what a user should know of them."""
    errors.print(f"[dim]note:[/] {_escaped(message)}", soft_wrap=True)


def say(message: str) -> None:
    """Write a line; square brackets are text."""
    console.print(_escaped(message), soft_wrap=True)


def done(message: str) -> None:
    """Write a line about something that has happened."""
    console.print(f"[green]✓[/] {_escaped(message)}", soft_wrap=True)


def _escaped(text: str) -> str:
    return text.replace("[", "\\[")
