"""Feed the rule language with what atheris makes up, for as long as is wished.

    pip install atheris
    python -m tests.fuzz.fuzz_expressions -max_total_time=600 FOLDER

FOLDER keeps what leads to new paths through the code; what breaks a promise is written beside it,
to be shortened (-minimize_crash=1) and put into tests/fixtures/fuzz. Knows atheris. Does not know
what is promised (oracle). The suite does not need atheris: test_fuzz asks Hypothesis for texts.
"""

from __future__ import annotations

import importlib
import sys
import tempfile
from pathlib import Path
from random import Random
from types import ModuleType
from typing import Any

LARGEST = 4_096
"""Bytes of one input; longer ones are refused or are more of the same."""


def main(arguments: list[str]) -> None:
    """Run atheris with ``arguments`` of libFuzzer; ends when it does."""
    atheris: Any = importlib.import_module("atheris")
    with atheris.instrument_imports(include=["mroute.expr"]):
        oracle = importlib.import_module("tests.fuzz.oracle")

    def one(data: bytes) -> None:
        oracle.check_promises(oracle.decode(data))

    def mutated(data: bytes, size: int, seed: int) -> bytes:
        random = Random(seed)
        if random.random() < 0.3:
            return bytes(atheris.Mutate(data, size))
        text = oracle.decode(data)
        for _ in range(random.randint(1, 4)):
            text = oracle.mutate(text, random)
        return bytes(oracle.encode(text)[:size])

    with tempfile.TemporaryDirectory() as folder:
        written = _seeds(oracle, Path(folder))
        options = [f"-max_len={LARGEST}", f"-timeout={int(oracle.BOUND * 10)}"]
        atheris.Setup(
            [arguments[0], *options, *arguments[1:], written], one, custom_mutator=mutated
        )
        atheris.Fuzz()


def _seeds(oracle: ModuleType, folder: Path) -> str:
    for number, text in enumerate(oracle.SEEDS):
        (folder / str(number)).write_bytes(oracle.encode(text))
    return str(folder)


if __name__ == "__main__":
    main(sys.argv)
