"""What all tests share: how Hypothesis searches, a fresh environment, a folder in memory.

Knows how mroute is built and installed apart from the environment that runs the tests, the options
of a longer run, and that every task file has to be as documented. Does not know what is tested.
"""

from __future__ import annotations

import os
import subprocess
import sysconfig
import venv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import settings

from tests.task_files import WATCH

ROOT = Path(__file__).parents[1]

# Examples take their time on a machine of two cores; what is slow is measured by benchmarks. In CI
# the examples are the same in every run, so that a red run is about the change.
settings.register_profile("mroute", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if "CI" in os.environ else "mroute")

# No test reads what another, or an earlier run, has left; those of the cache make their own.
os.environ["MROUTE_CACHE_DIR"] = ""


def pytest_addoption(parser: pytest.Parser) -> None:
    """What a longer run than that of CI asks for."""
    parser.addoption(
        "--expr-pairs",
        type=int,
        metavar="N",
        help="compare at least N pairs of a random expression and random tags with the reference "
        "interpreter, other ones in every run",
    )
    parser.addoption(
        "--index-pairs",
        type=int,
        metavar="N",
        help="compare at least N pairs of a random rule and a random series, answered by the index "
        "of a rule set, with evaluating one by one, other ones in every run",
    )

    parser.addoption(
        "--study-examples",
        type=int,
        metavar="N",
        help="play N random histories of studies that are collected, other ones in every run",
    )
    parser.addoption(
        "--leak-minutes",
        type=float,
        default=10.0,
        metavar="N",
        help="load mroute for N minutes in the test of leaks, which is marked slow",
    )


WATCH.install()


@pytest.fixture(autouse=True)
def _task_files_are_as_the_schema_says(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail where a task file, by whatever process it was written, is not as documented."""
    folder = request.getfixturevalue("tmp_path") if "tmp_path" in request.fixturenames else None
    yield
    faults = WATCH.take_faults(folder)
    if request.node.get_closest_marker("damages_task_files") is None:
        assert faults == []


@dataclass(frozen=True, slots=True)
class Environment:
    """A virtual environment in which mroute is installed as a wheel, and nothing of the tree is.

    The libraries that mroute needs are those of the environment that runs the tests.
    """

    folder: Path

    def variables(self) -> dict[str, str]:
        """The variables of a process in which this environment is active."""
        inherited = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("MROUTE_", "PYTHON", "PYTEST_"))
        }
        return {
            **inherited,
            "PATH": f"{self.folder / 'bin'}{os.pathsep}{os.environ['PATH']}",
            "VIRTUAL_ENV": str(self.folder),
            "XDG_CACHE_HOME": str(self.folder / "cache"),
            "COLUMNS": "100",
            "NO_COLOR": "1",
            # Build with what is installed: no registry is asked. pip reads "0" as "no isolation".
            "PIP_NO_BUILD_ISOLATION": "0",
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            "PIP_NO_INDEX": "1",
        }

    def run(
        self, *command: str | Path, cwd: Path | None = None, stdin: str = ""
    ) -> subprocess.CompletedProcess[str]:
        """Run a command in this environment; its output is kept, its exit code not judged."""
        return subprocess.run(
            [str(each) for each in command],
            cwd=cwd or self.folder,
            env=self.variables(),
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
        )


def install_mroute(folder: Path) -> Environment:
    """Make an environment in ``folder`` and install the wheel of this tree into it."""
    venv.create(folder, with_pip=True)
    environment = Environment(folder)
    packages = sysconfig.get_path("purelib", "venv", vars={"base": str(folder)})
    # A line in a .pth file comes after the packages installed here, and .pth files behind it are
    # not read: so mroute is the wheel, never the tree.
    libraries = {sysconfig.get_path(name) for name in ("purelib", "platlib")}
    Path(packages, "libraries.pth").write_text("\n".join(sorted(libraries)))
    # The environment of the tests has a mroute too; this one gets its own all the same.
    installed = environment.run("pip", "install", "--ignore-installed", "--no-deps", ROOT)
    if installed.returncode:
        raise RuntimeError(f"mroute cannot be installed:\n{installed.stdout}{installed.stderr}")
    return environment


@pytest.fixture(scope="session")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """An environment with mroute, made once; whoever installs more into it removes it again."""
    return install_mroute(tmp_path_factory.mktemp("environment"))


@pytest.fixture
def quick_path(tmp_path: Path) -> Iterator[Path]:
    """A temporary folder in memory where there is one: for tests with thousands of flushes."""
    memory = Path("/dev/shm")
    if os.access(memory, os.W_OK | os.X_OK):
        with TemporaryDirectory(dir=memory) as folder:
            yield Path(folder)
    else:
        yield tmp_path
