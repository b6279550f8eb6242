"""`peerpause demo`: all of it, running on the embedded PostgreSQL, with synthetic people."""

from __future__ import annotations

import asyncio
import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn

from peerpause.database.embedded import embedded_server
from peerpause.demo.certificates import CertificatesAct
from peerpause.demo.narrator import StoryFailed
from peerpause.demo.serving import Api, api
from peerpause.demo.stage import Stage, stage
from peerpause.demo.story import Story
from peerpause.demo.visiting import VisitingAct
from peerpause.directory.importing import Progress as ImportProgress
from peerpause.settings import load_settings
from peerpause.telemetry import configure_logging

_FOLDER = Path(".peerpause/demo")

_BY_HAND = """Or change somebody in SQL, past every program of ours, and they are told all the same:

  psql "{url}"
  peerpause=# select update_mentor_status('<a mentor_id>', 'paused', null, 'travel');

Ctrl-C ends the demo.
"""

Fresh = Annotated[bool, typer.Option("--fresh", help="Start over: throw the demo's data away first.")]
FailPush = Annotated[
    float,
    typer.Option(
        min=0.0, max=0.9, metavar="P", help="Let this share of pushes fail at random, to watch the retries."
    ),
]
Once = Annotated[
    bool, typer.Option("--once", help="End after the story; 0 only if every step was seen to work.")
]
Port = Annotated[
    int, typer.Option(min=0, max=65535, help="The port of the API and the public pages; 0: any.")
]
Data = Annotated[Path, typer.Option("--data", help="The folder the demo keeps its database in.")]


def demo(
    fresh: Fresh = False,
    port: Port = 8000,
    fail_push: FailPush = 0.0,
    once: Once = False,
    data: Data = _FOLDER,
) -> None:
    """Play the main job on an embedded database: a mentor pauses, the coordinators hear of it, the history proves it.

    A second start goes on with the same data. Ctrl-C ends it and leaves nothing running.
    """
    # Once by itself, it takes any port, so that it disturbs nobody.
    chosen = 0 if once else port
    try:
        code = asyncio.run(_demo(fresh=fresh, port=chosen, fail_push=fail_push, once=once, folder=data))
    except asyncio.CancelledError:
        code = 128 + signal.SIGTERM
    raise typer.Exit(code)


async def _demo(*, fresh: bool, port: int, fail_push: float, once: bool, folder: Path) -> int:
    console = Console()
    configure_logging(level="ERROR")
    if fresh:
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
    # Ended by a supervisor it leaves as little behind as ended by Ctrl-C.
    this = asyncio.current_task()
    assert this is not None  # we are running
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, this.cancel)
    async with embedded_server(folder) as url:
        with _import_bar(console) as progress:
            async with (
                stage(
                    url,
                    settings=load_settings(),
                    fail_push=fail_push,
                    say=lambda line: console.print(f"[dim]{line}[/]"),
                    progress=progress,
                ) as prepared,
                api(url, prepared=prepared, settings=load_settings(), port=port) as served,
            ):
                return await _show(prepared, served, console, url=url, once=once)


async def _show(prepared: Stage, served: Api, console: Console, *, url: str, once: bool) -> int:
    visiting = VisitingAct(prepared, served, console=console)
    try:
        await Story(prepared, console=console).play()
        await CertificatesAct(prepared, console=console).play()
        await visiting.play()
    except StoryFailed as failure:
        console.print(f"\n[bold red]The story stopped:[/] {failure}")
        return 1
    console.print("\n[bold green]Every step was seen to work.[/]")
    if once:
        return 0
    console.print(await visiting.invitation(), soft_wrap=True, markup=False, highlight=False)
    console.print(_BY_HAND.format(url=url), soft_wrap=True, markup=False, highlight=False)
    async for arrival in prepared.standin.on_arrival():
        words = arrival.message.get("notification", {})
        console.print(
            f"  [cyan]{arrival.target[-12:]}[/] {words.get('title')}: {words.get('body')} ({arrival.outcome})"
        )
    return 0


@contextmanager
def _import_bar(console: Console) -> Iterator[ImportProgress]:
    with Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), console=console, transient=True
    ) as bar:
        tasks: dict[str, TaskID] = {}

        def show(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = bar.add_task(what, total=total)
            bar.update(tasks[what], completed=done, total=total)

        yield show
