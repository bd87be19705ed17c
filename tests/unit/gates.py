"""What the gates look for: each function returns its findings, a sentence for each.

Knows how to find a fault in files, in modules and in documentation. Does not know where the real
ones are: `test_gates` applies every function to the repository and to a planted fault.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import re
import statistics
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from importlib.metadata import packages_distributions
from pathlib import Path
from types import ModuleType
from typing import Any

import click
from jsonschema import Draft202012Validator

Schema = Mapping[str, Any]

LARGEST_MODULE = 400
MEDIAN_MODULE = 120

ASSERTING = re.compile(r"(assert|check)_\w+")
"""Functions whose name says that they assert something."""


# Hooks


def signatures(hookspecs: ModuleType) -> dict[str, str]:
    """Every hook by name, with its signature as the documentation has it."""
    return {
        name: f"{name}({', '.join(inspect.signature(function).parameters)})"
        for name, function in inspect.getmembers(hookspecs, inspect.isfunction)
        if hasattr(function, "mroute_spec")
    }


def undocumented_hooks(hookspecs: ModuleType, page: str) -> list[str]:
    """Hooks without a heading that shows their signature, and such headings without a hook."""
    headings = re.findall(r"^#+ `(mroute_\w+\(.*\))`$", page, re.MULTILINE)
    expected = signatures(hookspecs).values()
    return [f"no heading '### `{each}`'" for each in sorted(set(expected) - set(headings))] + [
        f"no hook with the signature of the heading '{each}'"
        for each in sorted(set(headings) - set(expected))
    ]


def untested_hooks(hookspecs: ModuleType, folder: Path) -> list[str]:
    """Hooks without a file of their own in ``folder`` that has at least one test."""
    findings = []
    for hook in signatures(hookspecs):
        file = folder / f"test_{hook}.py"
        if not file.is_file():
            findings.append(f"hook '{hook}' has no file 'test_{hook}.py'")
        elif not any(tests_in(file.read_text("utf-8"))):
            findings.append(f"hook '{hook}' has a file without a test")
    return findings


def unimplemented_hooks(hookspecs: ModuleType, plugins: Iterable[ModuleType]) -> list[str]:
    """Hooks that none of ``plugins`` implements."""
    implemented = {
        name
        for plugin in plugins
        for name in dir(plugin)
        if hasattr(getattr(plugin, name), "mroute_impl")
    }
    return [
        f"hook '{hook}' is implemented by no default plugin"
        for hook in signatures(hookspecs)
        if hook not in implemented
    ]


# Packaging


def plugin_packages(folder: Path) -> list[str]:
    """The names of the packages in ``folder``, sorted."""
    return sorted(path.parent.name for path in folder.glob("*/__init__.py"))


def default_plugins(folder: Path) -> str:
    """The plugins whose packages are in ``folder``, as ``MROUTE_LOAD_PLUGINS`` names them."""
    return ",".join(each.removeprefix("mroute_") for each in plugin_packages(folder))


def plugins_not_declared(project: Mapping[str, Any], packages: Sequence[str]) -> list[str]:
    """Where ``pyproject.toml`` disagrees with the plugin packages that there are."""
    contracts = {each["id"]: each for each in project["tool"]["importlinter"]["contracts"]}
    declared = {
        "packages of the wheel": [
            each.removeprefix("plugins/")
            for each in project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
            if each != "mroute"
        ],
        "entry points": list(project["project"]["entry-points"]["mroute"].values()),
        "root packages of import-linter": [
            each for each in project["tool"]["importlinter"]["root_packages"] if each != "mroute"
        ],
        "contract 'core-knows-no-plugin'": contracts["core-knows-no-plugin"]["forbidden_modules"],
        "contract 'plugins-use-the-api'": contracts["plugins-use-the-api"]["source_modules"],
        "contract 'plugins-are-strangers'": contracts["plugins-are-strangers"]["modules"],
    }
    findings = []
    for place, names in declared.items():
        findings += [f"{place}: '{each}' is missing" for each in packages if each not in names]
        findings += [f"{place}: '{each}' is no package" for each in names if each not in packages]
    for name, package in project["project"]["entry-points"]["mroute"].items():
        if package != f"mroute_{name}":
            findings.append(f"entry points: '{name}' should be the plugin of 'mroute_{name}'")
    return findings


def imports_and_dependencies(files: Iterable[Path], project: Mapping[str, Any]) -> list[str]:
    """Libraries that are imported and not declared, and those declared that nobody imports."""
    extras = project["project"].get("optional-dependencies", {})
    optional = [each for name, several in extras.items() if name != "test" for each in several]
    declared = {
        _canonical(re.split(r"[<>=~! \[]", each)[0])
        for each in (*project["project"]["dependencies"], *optional)
    }
    ours = {"mroute", *plugin_names(project)}
    imported = {
        name.partition(".")[0]
        for file in files
        for node in ast.walk(ast.parse(file.read_text("utf-8")))
        for name in _imported_by(node)
    }
    distributions = packages_distributions()
    used = {
        _canonical(each)
        for name in imported - ours - sys.stdlib_module_names
        for each in distributions.get(name, [name])
    }
    return [f"'{each}' is imported, not declared" for each in sorted(used - declared)] + [
        f"'{each}' is declared, not imported" for each in sorted(declared - used)
    ]


def plugin_names(project: Mapping[str, Any]) -> list[str]:
    """The packages of the plugins that the project declares."""
    return list(project["project"]["entry-points"]["mroute"].values())


def _imported_by(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [each.name for each in node.names]
    return [node.module or ""] if isinstance(node, ast.ImportFrom) else []


def _canonical(distribution: str) -> str:
    return re.sub(r"[-_.]+", "-", distribution).lower()


# Schemas


def keys_of(schema: Schema, path: str = "") -> Iterator[tuple[str, Schema]]:
    """Every key that a JSON Schema describes: its path, ``RouteRule.targets`` say, and its schema.

    What is under ``if`` and ``not`` are conditions, no keys.
    """
    for name, definition in schema.get("$defs", {}).items():
        yield from keys_of(definition, name)
    for name, each in schema.get("properties", {}).items():
        below = f"{path}.{name}".strip(".")
        yield below, each
        yield from keys_of(each, below)
    for key in ("items", "additionalProperties"):
        if isinstance(schema.get(key), dict):
            yield from keys_of(schema[key], path)
    for key in ("anyOf", "oneOf", "allOf", "prefixItems"):
        for each in schema.get(key, ()):
            yield from keys_of(each, path)


def unexplained_keys(schema: Schema) -> list[str]:
    """Keys without a sentence that describes them, or without an example."""
    findings = []
    for path, each in keys_of(schema):
        if not re.search(r"\w \w.*\.$", each.get("description", ""), re.DOTALL):
            findings.append(f"'{path}' has no sentence that describes it")
        if not each.get("examples"):
            findings.append(f"'{path}' has no example")
    return findings


def unexplained_members(schema: Schema) -> list[str]:
    """Members of enumerations that the description of the enumeration says nothing about."""
    return [
        f"'{name}' says nothing about '{member}'"
        for name, definition in schema.get("$defs", {}).items()
        for member in definition.get("enum", ())
        if f"`{member}`: " not in definition.get("description", "")
    ]


def misfit_examples(schema: Schema) -> list[str]:
    """Examples of keys that the schema of the key itself does not take."""
    return [
        f"'{path}' does not take its example {example!r}: {error.message}"
        for path, each in keys_of(schema)
        for example in each.get("examples", ())
        for error in Draft202012Validator(
            {**each, "$defs": schema.get("$defs", {})},
            format_checker=Draft202012Validator.FORMAT_CHECKER,
        ).iter_errors(example)
    ]


# Modules


def foreign_imports(files: Iterable[Path], allowed: Collection[str]) -> list[str]:
    """Imports of modules of mroute in ``files`` that are not among the ``allowed``."""
    findings = []
    for file in files:
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            findings += [
                f"{file.name} imports {name}"
                for name in names
                if name.partition(".")[0] == "mroute" and name not in allowed
            ]
    return findings


def silent_docstrings(files: Iterable[Path]) -> list[str]:
    """Modules whose docstring does not say what they know and what they do not."""
    findings = []
    for file in files:
        docstring = ast.get_docstring(ast.parse(file.read_text("utf-8"))) or ""
        if not re.search(r"\bKnows?\b", docstring):
            findings.append(f"{file.name} does not say what it knows")
        if not re.search(r"\b(Does|Do|Knows?)\s+(not|nothing|no)\b|\bbut not\b", docstring):
            findings.append(f"{file.name} does not say what it does not know")
    return findings


def outsized_modules(files: Iterable[Path]) -> list[str]:
    """Modules that are too long, and a median that is too high."""
    sizes = {file: len(file.read_text("utf-8").splitlines()) for file in files}
    findings = [
        f"{file.name} has {size} lines, more than {LARGEST_MODULE}"
        for file, size in sizes.items()
        if size > LARGEST_MODULE
    ]
    median = statistics.median(sizes.values())
    if median > MEDIAN_MODULE:
        findings.append(f"the median module has {median:g} lines, more than {MEDIAN_MODULE}")
    return findings


# Tests


def idle_tests(source: str) -> list[str]:
    """Test functions that assert nothing, or only what is always so."""
    return [
        f"{function.name} asserts nothing"
        for function in tests_in(source)
        if not any(_asserts(node) for node in ast.walk(function))
    ]


def tests_in(source: str) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """The test functions of a module, in classes too."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith(
            "test_"
        ):
            yield node


def _asserts(node: ast.AST) -> bool:
    if isinstance(node, ast.Assert):
        return not isinstance(node.test, ast.Constant | ast.Tuple)
    if isinstance(node, ast.Call):
        name = ast.unparse(node.func)
        return name in ("pytest.raises", "pytest.warns") or bool(
            ASSERTING.fullmatch(name.rpartition(".")[2])
        )
    return False


# Documentation


def undocumented_functions(page: str, documented: Collection[str], root: Path) -> list[str]:
    """What is wrong with the table of documented functions.

    A row is ``| `documented` | `module.function` | `tests/file.py::test` | ... |``; a cell may say
    ``later: issue N`` where a later issue brings the function. Several are separated by commas.
    """
    rows = {
        cells[0]: cells[1:]
        for cells in (
            [cell.strip() for cell in line.strip("|").split("|")]
            for line in page.splitlines()
            if line.startswith("| `")
        )
    }
    names = {name.strip("`"): cells for name, cells in rows.items()}
    findings = [f"'{each}' has no row" for each in documented if each not in names]
    findings += [f"'{each}' is no documented function" for each in names if each not in documented]
    for name, (function, test, *_) in names.items():
        findings += [
            f"'{name}' lives in '{each}', which does not exist"
            for each in _quoted(function)
            if not _exists(each)
        ]
        findings += [
            f"'{name}' is held by '{each}', which is no test"
            for each in _quoted(test)
            if not _is_test(each, root)
        ]
    return findings


def _quoted(cell: str) -> list[str]:
    if re.fullmatch(r"later: issue \d+", cell):
        return []
    return re.findall(r"`([^`]+)`", cell) or [cell]


def _exists(dotted: str) -> bool:
    parts = dotted.split(".")
    for end in range(len(parts) - 1, 0, -1):
        try:
            found: Any = importlib.import_module(".".join(parts[:end]))
        except ModuleNotFoundError:
            continue
        for name in parts[end:]:
            found = getattr(found, name, None)
        return callable(found)
    return False


def _is_test(test_id: str, root: Path) -> bool:
    file, _, name = test_id.partition("::")
    path = root / file
    if not path.is_file():
        return False
    return name.rpartition("::")[2] in {
        function.name for function in tests_in(path.read_text("utf-8"))
    }


def unmentioned_commands(cli: click.Group, page: str) -> list[str]:
    """Commands and options that have no place in the page of commands.

    A command has a heading ``## `mroute name ...` `` and every option is named below it.
    """
    sections = dict(re.findall(r"^#+ `(mroute[^`]*)`\n(.*?)(?=^#|\Z)", page, _SECTIONS))
    findings = []
    for path, command in _commands(cli, "mroute"):
        heading = next((each for each in sections if f"{each} ".startswith(f"{path} ")), None)
        if heading is None:
            findings.append(f"'{path}' has no heading")
            continue
        for parameter in command.params:
            name = max(parameter.opts, key=len)
            if isinstance(parameter, click.Argument):
                name = parameter.make_metavar(click.Context(command)).strip("[].")
            if name not in heading + sections[heading]:
                findings.append(f"'{path}' says nothing about '{name}'")
    return findings


_SECTIONS = re.MULTILINE | re.DOTALL


def _commands(group: click.Group, path: str) -> Iterator[tuple[str, click.Command]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from _commands(command, f"{path} {name}")
        else:
            yield f"{path} {name}", command


def stale_excerpts(page: Path, root: Path) -> list[str]:
    """Code blocks that name a file below ``root`` and are not found in it, word for word.

    A name without a folder is that of a file of the page's own.
    """
    findings = []
    for name, code in re.findall(
        r"^```\w+ (\S+/\S+)\n(.*?)^```$", page.read_text("utf-8"), _SECTIONS
    ):
        file = root / name
        if not file.is_file():
            findings.append(f"{page.name}: there is no file '{name}'")
        elif not code.strip() or code not in file.read_text("utf-8"):
            findings.append(f"{page.name}: the block of '{name}' is not what the file says")
    return findings


def dead_links(pages: Iterable[Path]) -> list[str]:
    """Relative links of Markdown pages that lead to nothing, neither a file nor a heading."""
    findings = []
    for page in pages:
        for target in re.findall(r"\]\(([^)\s]+)\)", _prose(page)):
            if re.match(r"[a-z]+:", target):
                continue
            path, _, anchor = target.partition("#")
            file = (page.parent / path).resolve() if path else page
            if not file.exists():
                findings.append(f"{page.name}: '{target}' leads nowhere")
            elif anchor and anchor not in _anchors(file):
                findings.append(f"{page.name}: '{target}' is no heading")
    return findings


def unlisted_pages(index: Path, pages: Iterable[Path]) -> list[str]:
    """Pages that the index has no link to."""
    linked = {
        (index.parent / target.partition("#")[0]).resolve()
        for target in re.findall(r"\]\(([^)\s]+)\)", _prose(index))
    }
    return [
        f"'{page.name}' is not in the index"
        for page in pages
        if page.resolve() not in linked and page != index
    ]


def _prose(page: Path) -> str:
    return re.sub(r"^```.*?^```$", "", page.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)


def _anchors(page: Path) -> set[str]:
    """The anchors that forges make of headings."""
    return {
        re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-")
        for heading in re.findall(r"^#+ (.+)$", _prose(page), re.MULTILINE)
    }
