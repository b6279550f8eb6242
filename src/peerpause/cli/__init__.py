"""The command `peerpause`: every sub-command in a module of its own; here they are put together.

Exit codes: 0 fine, 1 found something wrong, 2 used wrongly, 130 interrupted.
"""

from __future__ import annotations

import sys

import typer

from peerpause.cli import (
    deliveries,
    demo,
    doctor,
    expire,
    importing,
    migrate,
    monitor,
    schedule,
    serve,
    supabase,
    token,
    worker,
)
from peerpause.errors import PeerPauseError

app = typer.Typer(
    name="peerpause",
    help="Peer mentors take a break and come back; their coordinators hear of it at once.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.command("demo")(demo.demo)
app.add_typer(migrate.app, name="migrate")
app.command("import")(importing.import_files)
app.command("expire")(expire.expire)
app.command("monitor")(monitor.monitor)
app.add_typer(schedule.app, name="schedule")
app.command("serve")(serve.serve)
app.command("worker")(worker.worker)
app.add_typer(deliveries.app, name="deliveries")
app.command("doctor")(doctor.doctor)
app.add_typer(supabase.app, name="supabase")
app.command("token")(token.token)


def main() -> None:
    """Run the command line; what we refuse on purpose is told in a line or two, without a stack trace."""
    try:
        app(prog_name="peerpause")
    except PeerPauseError as error:
        typer.echo(f"peerpause: {error.message}", err=True)
        if error.hint:
            typer.echo(f"  {error.hint}", err=True)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
