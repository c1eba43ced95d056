"""Samples of py-spy count for the package that ran, and once for each function of ours that waited for it."""

from pathlib import Path

from bench.report.stacks import read_stacks, shares_of

ROOT = Path("/srv/stint")
STACKS = """\
process 7:"python -m services.projector";run (/usr/lib/python3.11/asyncio/runners.py:118);fold (/srv/stint/services/projector/domain/fold.py:40);judge (/srv/stint/services/projector/domain/rules/judge.py:12) 30
run (/usr/lib/python3.11/asyncio/runners.py:118);fold (/srv/stint/services/projector/domain/fold.py:44);fold (/srv/stint/services/projector/domain/fold.py:41) 20
run (/usr/lib/python3.11/asyncio/runners.py:118);fold (/srv/stint/services/projector/domain/fold.py:41);send (/srv/stint/.venv/lib/python3.11/site-packages/aiokafka/client.py:9) 40
run (/usr/lib/python3.11/asyncio/runners.py:118) 10
"""  # noqa: E501 - as py-spy writes them


def test_a_sample_counts_for_the_package_of_its_innermost_frame() -> None:
    profile = read_stacks(STACKS, ROOT)
    assert profile.samples == 100
    assert profile.packages == {"services": 50, "aiokafka": 40, "standard library": 10}


def test_a_function_of_ours_counts_once_a_sample_however_often_it_calls_itself() -> None:
    profile = read_stacks(STACKS, ROOT)
    assert profile.own == {
        "services/projector/domain/rules/judge.py:judge": 30,
        "services/projector/domain/fold.py:fold": 20,
    }
    assert profile.cumulative == {
        "services/projector/domain/rules/judge.py:judge": 30,
        "services/projector/domain/fold.py:fold": 90,
    }


def test_shares_are_of_all_samples() -> None:
    said = [
        [cell.strip() for cell in line.split("|")[1:-1]] for line in shares_of(read_stacks(STACKS, ROOT)).splitlines()
    ]
    assert ["aiokafka", "40.0 %"] in said
    assert ["services/projector/domain/fold.py:fold", "90.0 %", "20.0 %"] in said
