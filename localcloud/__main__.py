"""``python -m localcloud``: up, status, env, deploy, coverage, iam, down, reset."""

from __future__ import annotations

import contextlib
import json
import shlex
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer
from rich.console import Console
from rich.table import Table

from localcloud import supervisor
from localcloud.coverage import write_table
from localcloud.environment import SHELL, client_environment, client_facts
from localcloud.images import registry
from localcloud.settings import Settings, SettingsError

if TYPE_CHECKING:
    from localcloud.authorization.journal import Journal

# What needs boto3 or the services is imported by the commands that use it: `up` and `down` start at once.
app = typer.Typer(no_args_is_help=True, add_completion=False, help=__doc__)
iam = typer.Typer(no_args_is_help=True, help="What roles and services asked for, and what policies gave.")
app.add_typer(iam, name="iam")
console = Console()

Quiet = Annotated[bool, typer.Option("--quiet", help="Say nothing unless it fails.")]


@app.command()
def up(
    detach: Annotated[
        bool, typer.Option("--detach", help="Return when it is ready; 'down' ends it.")
    ] = False,
    quiet: Quiet = False,
    outlive_parent: Annotated[bool, typer.Option("--outlive-parent", hidden=True)] = False,
) -> None:
    """Start the local cloud.

    Without --detach it ends with Ctrl-C, SIGTERM, or the process that started it.
    """
    settings = _settings()
    try:
        if detach:
            supervisor.start_detached(settings)
            if not quiet:
                _greet(settings)
            return
        watched = supervisor.Supervisor(settings, outlive_parent=outlive_parent)
        watched.start()
    except supervisor.SupervisorError as error:
        _fail(str(error))
    if not quiet:
        _greet(settings)
    status = watched.watch()
    if status:
        _fail(f"the server ended by itself; log: {supervisor.log_path(settings)}")


@app.command()
def status() -> None:
    """Show services, endpoints, executions, ports and the size of the state."""
    try:
        document = supervisor.read_status(_settings())
    except supervisor.SupervisorError as error:
        _fail(str(error))
    table = Table(show_header=False, box=None)
    for name, value in document.items():
        table.add_row(name.replace("_", " "), _text(value))
    console.print(table)


@app.command()
def env(as_json: Annotated[bool, typer.Option("--json", help="Print JSON, with ports too.")] = False) -> None:
    """Print what points AWS's clients at the local cloud: eval "$(python -m localcloud env)"."""
    settings = _settings()
    if as_json:
        typer.echo(json.dumps(client_facts(settings)))
        return
    for name, value in client_environment(settings).items():
        typer.echo(f"export {name}={shlex.quote(value)}")
    typer.echo(SHELL)


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def deploy(
    context: typer.Context,
    source: Annotated[Path, typer.Argument(help="A CDK app's folder, or a cloud assembly.")] = Path(),
) -> None:
    """Bootstrap when needed, and deploy all stacks of a CDK app.

    What follows '--' goes to 'cdk deploy'.
    """
    from localcloud.deploy import DeployError
    from localcloud.deploy import deploy as deploy_app

    settings = _settings()
    try:
        supervisor.read_status(settings)
        code = deploy_app(settings, source, context.args)
    except (DeployError, supervisor.SupervisorError) as error:
        _fail(str(error))
    raise typer.Exit(code)


@app.command()
def coverage(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    write: Annotated[bool, typer.Option("--write", help="Add the rows to localcloud/COVERAGE.md.")] = False,
) -> None:
    """List the template properties that the deployed stacks have and the laptop ignores."""
    try:
        ignored = supervisor.read_status(_settings())["ignored_properties"]
    except supervisor.SupervisorError as error:
        _fail(str(error))
    if write:
        write_table(Path(__file__).with_name("COVERAGE.md"), ignored)
    if as_json:
        typer.echo(json.dumps(ignored))
        return
    table = Table("resource type", "ignored property")
    for kind, names in ignored.items():
        for name in names:
            table.add_row(kind, name)
    console.print(table)


@app.command()
def images(
    name: Annotated[str | None, typer.Argument(help="Folder of one image, such as glue.")] = None,
    quiet: Quiet = False,
) -> None:
    """Build the environments of the container images, where they are missing.

    Without a name those that every deployment needs; Spark's (glue) is built when a job first asks for it.
    """
    home = _settings().image_home
    try:
        for image in registry.all_images(home) if name is None else [registry.image_named(name, home)]:
            registry.ensure_environment(image)
            if not quiet:
                console.print(f"{image.name}: {image.environment}")
    except registry.ImageEnvironmentError as error:
        _fail(str(error))


@app.command()
def down(quiet: Quiet = False) -> None:
    """Stop the local cloud; its state stays."""
    try:
        stopped = supervisor.stop(_settings())
    except supervisor.SupervisorError as error:
        _fail(str(error))
    if not quiet:
        console.print("stopped" if stopped else "it was not up")


@app.command()
def reset(
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False, quiet: Quiet = False
) -> None:
    """Stop the local cloud and delete its state."""
    settings = _settings()
    if not yes:
        typer.confirm(f"Delete everything in {settings.home}?", abort=True)
    try:
        supervisor.stop(settings)
    except supervisor.SupervisorError as error:
        _fail(str(error))
    for name in supervisor.STATE_ENTRIES:
        entry = settings.home / name
        if entry.is_dir():
            shutil.rmtree(entry)
        else:
            entry.unlink(missing_ok=True)
    if not quiet:
        console.print(f"deleted the state in {settings.home}")


@iam.command()
def report(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    role: Annotated[str, typer.Option(help="Only callers whose name has this text.")] = "",
) -> None:
    """List the calls of each role and service, what was denied, and statements that nothing used."""
    from localcloud.authorization.report import Report

    found = Report.of(_journal())
    if as_json:
        typer.echo(json.dumps(found.document()))
        return
    calls = Table("caller", "action", "calls")
    for caller, counts in found.calls.items():
        for action, count in counts.items() if role in caller else ():
            calls.add_row(caller, action, str(count))
    console.print(calls)
    unused = Table("role", "statement", "actions that no call needed")
    for owner, rows in found.unused.items():
        for statement, actions in rows if role in owner else ():
            unused.add_row(owner, statement.rpartition("#")[2], " ".join(actions))
    console.print(unused)
    console.print(f"denied: {len(found.denied)}")
    for sentence in found.denied:
        console.print(f"  {sentence}", highlight=False, soft_wrap=True)


@iam.command()
def mutate(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Take each permission away in turn and tell which of them no recorded request would miss."""
    from localcloud.authorization.mutation import by_definition, mutants

    found = list(mutants(_journal(), _settings().region))
    missed = [str(mutant) for mutant in found if not mutant.caught]
    groups = by_definition(found).values()
    never = [group for group in groups if not any(mutant.caught for mutant in group)]
    if as_json:
        written = {"mutants": len(found), "missed": missed, "definitions": len(groups)}
        typer.echo(
            json.dumps({**written, "missed_definitions": [[str(each) for each in group] for group in never]})
        )
        return
    for what, whole, rest in (
        ("permissions of single roles", len(found), len(missed)),
        ("permissions as templates define them", len(groups), len(never)),
    ):
        console.print(f"{what}: caught {whole - rest} of {whole} ({(whole - rest) / max(1, whole):.0%})")
    console.print("caught in no role:")
    for group in sorted(never, key=lambda group: str(group[0])):
        more = f" and {len(group) - 1} roles alike" if len(group) > 1 else ""
        actions = "" if group[0].action else f" ({', '.join(group[0].actions)})"
        console.print(f"  {group[0]}{actions}{more}", highlight=False, soft_wrap=True)


def _journal() -> Journal:
    from localcloud.authorization.journal import Journal

    settings = _settings()
    folder = settings.home / "iam"
    with contextlib.suppress(supervisor.SupervisorError):
        supervisor.read_status(settings)  # the server writes what it has recorded
    try:
        return Journal.read(folder)
    except FileNotFoundError:
        _fail(f"nothing is recorded in {folder}: start the local cloud and call it")


def _settings() -> Settings:
    try:
        return Settings.from_environment()
    except SettingsError as error:
        _fail(str(error))


def _greet(settings: Settings) -> None:
    console.print(f"The local cloud is up: [bold]{settings.endpoint_url}[/bold]  (state: {settings.home})")
    for name in ("AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION"):
        console.print(f"  export {name}={client_environment(settings)[name]}", highlight=False)
    console.print(
        f"  MQTT with a device certificate: {settings.host}:{settings.mqtt_tls_port}", highlight=False
    )
    wait = settings.firehose_interval_seconds
    console.print(
        f"  Delivery streams wait {wait:g} s, in place of their own buffering"
        if wait
        else "  Delivery streams wait as in an account: a minute where they partition; "
        "LOCALCLOUD_FIREHOSE_INTERVAL_SECONDS shortens it",
        highlight=False,
    )
    service = supervisor.read_status(settings)["service"]
    console.print(f"  HTTP API of the deployed application: {service}", highlight=False)


def _text(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name}: {_text(item)}" for name, item in value.items()) or "-"
    if isinstance(value, list):
        if value and isinstance(value[0], dict):
            return "\n".join(_text(item) for item in value)
        return ", ".join(str(item) for item in value) or "-"
    return str(value)


def _fail(message: str) -> NoReturn:
    Console(stderr=True).print(f"[red]localcloud:[/red] {message}", highlight=False, soft_wrap=True)
    raise typer.Exit(1)


if __name__ == "__main__":
    app()
