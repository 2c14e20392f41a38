"""What every test is given."""

import logging
from collections.abc import Iterator

import pytest

from mltox.base.logs import JsonFormatter

pytest_plugins = (
    "tests.fixtures.decoding",
    "tests.fixtures.provisioning",
    "tests.fixtures.warehouses",
)


def _text_again() -> None:
    root = logging.getLogger()
    for handler in root.handlers[:]:
        if isinstance(handler.formatter, JsonFormatter):
            root.removeHandler(handler)


@pytest.fixture(autouse=True)
def _logs_of_no_other_test() -> Iterator[None]:
    """Logs are the process's: what one test, or a module that it imports, sets up stays for all."""
    _text_again()
    yield
    _text_again()
