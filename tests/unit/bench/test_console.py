"""A bench ends with a sentence, not with a traceback, when a person can mend what is wrong."""

import os
import signal

import pytest

from bench.console import ending
from deploy.local.trouble import Trouble
from services.stint_cli.trouble import Trouble as OperatorsTrouble


@pytest.mark.parametrize("kind", [Trouble, OperatorsTrouble])
def test_trouble_is_a_line_and_status_one(kind: type[Exception], capsys: pytest.CaptureFixture[str]) -> None:
    def bench() -> int:
        raise kind("wrk is not installed.")

    assert ending(bench) == 1
    assert capsys.readouterr().err == "bench: wrk is not installed.\n"


def test_a_signal_ends_it_in_order() -> None:
    ended = []

    def bench() -> int:
        try:
            os.kill(os.getpid(), signal.SIGTERM)
        finally:
            ended.append("product")
        return 0

    assert ending(bench) == 130
    assert ended == ["product"]


def test_its_own_status_is_kept() -> None:
    assert [ending(lambda: 0), ending(lambda: 1)] == [0, 1]
