"""The command line. The one owner of click. Exit codes: 0 done, 1 refused or not found, 2 usage, 130 interrupted."""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path
from typing import Any

import click

from recommender.errors import GateError, RecommenderError, UnknownArticleError, exit_code
from recommender.settings import PREFIX, load_settings

INTERRUPTED = 130

# Command name -> module that defines it. A module is imported when its command runs, so that asking costs no more than it must.
_COMMANDS = {
    "ingest": "write",
    "follow": "follow",
    "withdraw": "write",
    "rebuild": "write",
    "embed": "embed",
    "related": "ask",
    "search": "ask",
    "explain": "ask",
    "evaluate": "judge",
    "tune": "judge",
    "status": "snapshots",
    "rollback": "snapshots",
    "prune": "snapshots",
    "verify": "verify",
    "backup": "safety",
    "restore": "safety",
    "export": "publish",
    "desk": "desk",
    "keys": "keys",
    "serve": "serve",
}


class _Lazy(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module = __import__(f"recommender.cli.{_COMMANDS[cmd_name]}", fromlist=[cmd_name])
        command: click.Command = getattr(module, cmd_name)
        return command

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; a reader such as `head` that had enough is no failure (click itself would end with 1)."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 0


@click.group(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.option(
    "--home", type=click.Path(path_type=Path), help="Folder of catalog and index (RECOMMENDER_HOME; default: index)."
)
@click.option(
    "--config", type=click.Path(path_type=Path), help="Settings file (default: recommender.toml, if it is there)."
)
@click.version_option(package_name="newsroom-recommender")
@click.pass_context
def cli(ctx: click.Context, home: Path | None, config: Path | None) -> None:
    """Related stories for a news site: from articles and their editors' links to lists with reasons."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    named = os.environ.get(f"{PREFIX}CONFIG")
    ctx.obj = load_settings(config or (Path(named) if named else None), {"home": home})


def main(arguments: list[str] | None = None) -> Any:
    """Run the command line and exit; every error that is foreseen ends as one line on stderr."""
    try:
        code = cli.main(arguments, prog_name="recommender", standalone_mode=False)
    except RecommenderError as error:
        for line in error.lines if isinstance(error, GateError) else ():
            click.echo(line, err=True)
        click.echo(f"error: {error}", err=True)
        if isinstance(error, UnknownArticleError) and error.suggestions:
            click.echo("nearest titles:", err=True)
            for suggestion in error.suggestions:
                click.echo(f"  {suggestion.article_id}  {suggestion.title}", err=True)
        sys.exit(exit_code(error))
    except click.Abort:
        click.echo("interrupted: what was finished is kept, the published index is as it was", err=True)
        sys.exit(INTERRUPTED)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    sys.exit(code if isinstance(code, int) else 0)
