"""`python -m services.projector`: its words."""

import os
import subprocess
import sys

import pytest

SETTINGS = {
    "PROJECTOR_KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:9",
    "PROJECTOR_POSTGRES_DSN": "postgresql://stint@127.0.0.1:9/stint",
    "PROJECTOR_HTTP_PORT": "0",
}


@pytest.mark.parametrize("word", ["audti", "--help", ""])
def test_a_word_that_is_not_known_starts_no_projector(word: str) -> None:
    """A mistyped audit joined the group, and took partitions."""
    asked = [sys.executable, "-m", "services.projector", word]
    ended = subprocess.run(asked, env=os.environ | SETTINGS, capture_output=True, text=True, timeout=20, check=False)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr == f"projector: there is no {word!r}: say `audit`, `rebuild` or nothing.\n"
