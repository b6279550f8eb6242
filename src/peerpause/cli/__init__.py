"""The command `peerpause`: every sub-command in a module of its own, which is loaded when it is asked for.

Exit codes: 0 fine, 1 found something wrong, 2 used wrongly, 130 interrupted.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from importlib import import_module
from typing import Any, Final

import typer
from typer.core import TyperCommand, TyperGroup

from peerpause.errors import PeerPauseError

COMMANDS: Final[Mapping[str, tuple[str, str]]] = {
    "demo": (
        "demo:demo",
        "Play the main job on an embedded database: a mentor pauses, the coordinators hear of it, the history proves it.",
    ),
    "import": (
        "importing:import_files",
        "Bring organisations, chapters, people and certificates in from CSV files.",
    ),
    "expire": (
        "expire:expire",
        "Pause every active mentor whose required certificate has lapsed: what the nightly run does.",
    ),
    "monitor": (
        "monitor:monitor",
        "Check that nobody lapsed is active, that the nightly run came and went well, and that news go out.",
    ),
    "serve": ("serve:serve", "Serve the HTTP API, and tell of changes unless --no-worker is given."),
    "worker": (
        "worker:worker",
        "Tell coordinators of changes, send what is due, and do what happens by the clock, until SIGTERM or Ctrl-C.",
    ),
    "doctor": (
        "doctor:doctor",
        "Check the database, its migrations, worker and schedule, Google's and the mail host's sign-in, coordinators and deliveries.",
    ),
    "token": (
        "token:token",
        "Print an access token signed with PEERPAUSE_JWT_SECRET. For development: real ones come from the sign-in service.",
    ),
    "migrate": (
        "migrate:app",
        "Apply, take back and check the database's migrations, in step with the Supabase CLI.",
    ),
    "schedule": (
        "schedule:app",
        "Let the database start the nightly check, the watchdog and the reminders by itself, with pg_cron.",
    ),
    "deliveries": ("deliveries:app", "See how telling people went, and let what failed start over."),
    "person": ("person:app", "Give somebody everything that is kept about them, or erase them."),
    "retention": ("retention:app", "See and set how long things are kept; let go of what is older."),
    "audit": ("audit:app", "Check that the record of changes is whole; export it with its proof."),
    "people": ("people:app", "Say as whom the sign-in service knows somebody."),
    "supabase": ("supabase:app", "Work with a Supabase project folder."),
}
"""Each command: where it lives (a module here and the name in it), and what the list of commands says of it.

The sentence is the first one of the command's own help. It stands here too so that the list need not load all of them.
"""


class _Later(TyperCommand):
    """A command whose module is loaded when it is about to run, or to show its help."""

    def __init__(self, name: str) -> None:
        self._where, sentence = COMMANDS[name]
        super().__init__(name, callback=None, help=sentence)

    def make_context(self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any) -> Any:
        """Let the command itself read its arguments; from here on it is in charge."""
        return load(self._where).make_context(info_name, args, parent=parent, **extra)


class _Commands(TyperGroup):
    """All commands, none of them loaded."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.commands = {name: _Later(name) for name in COMMANDS}


def load(where: str) -> Any:
    """The command that stands at ``module:name``."""
    module, _, name = where.partition(":")
    found = getattr(import_module(f"{__name__}.{module}"), name)
    if not isinstance(found, typer.Typer):
        alone = typer.Typer(add_completion=False)
        alone.command()(found)
        found = alone
    return typer.main.get_command(found)


app = typer.Typer(name="peerpause", cls=_Commands, no_args_is_help=True, pretty_exceptions_enable=False)


@app.callback()
def peerpause() -> None:
    """Peer mentors take a break and come back; their coordinators hear of it at once."""


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
