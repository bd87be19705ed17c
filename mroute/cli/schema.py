"""``mroute schema``: the JSON Schemas of the files that mroute reads and writes.

Knows where a schema is written. Does not know how it comes about.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from mroute.errors import MrouteError
from mroute.registry import Registry


def _rules(registry: Registry) -> dict[str, Any]:
    from mroute.config import rules_schema

    return rules_schema(registry)


def _settings(registry: Registry) -> dict[str, Any]:
    from mroute.config import settings_schema

    return settings_schema(registry)


def _task(registry: Registry) -> dict[str, Any]:
    from mroute.spool.taskfile import task_schema

    return task_schema(registry)


_SCHEMAS: dict[str, Callable[[Registry], dict[str, Any]]] = {
    "rules": _rules,
    "settings": _settings,
    "task": _task,
}


def schema_text(which: str, registry: Registry) -> str:
    """A schema as it is written to a file; ``which`` is one of rules, settings and task.

    Raises `MrouteError` where what plugins contribute makes no valid schema.
    """
    from jsonschema import Draft202012Validator, SchemaError

    schema = _SCHEMAS[which](registry)
    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        raise MrouteError(
            f"a plugin's model makes no valid JSON Schema: {error.message}"
        ) from error
    return json.dumps(schema, indent=2, sort_keys=True) + "\n"


@click.command("schema")
@click.argument("which", type=click.Choice(sorted(_SCHEMAS)))
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write to this file instead of standard output.",
)
def command(which: str, output: Path | None) -> None:
    """Print the JSON Schema of the rule file, of task.json, or of the settings.

    It describes what the installed plugins contribute; write it again when you install one.

    \b
    Examples:
      mroute schema rules -o rules.schema.json
      mroute schema task
    """
    from mroute.cli.installed import installed

    registry = installed().registry
    registry.raise_conflicts()
    text = schema_text(which, registry)
    if output is None:
        click.echo(text, nl=False)
        return
    try:
        output.write_text(text, "utf-8")
    except OSError as error:
        raise MrouteError(f"'{output}' cannot be written: {error.strerror}") from error
