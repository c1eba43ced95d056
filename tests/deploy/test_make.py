"""What `make` passes on to the programs that it starts."""

import os
import subprocess
from typing import Final

from deploy.local.settings import ROOT

# The Makefile with one more target, which says what its programs would hear.
_SAYS: Final = "include Makefile\nsays:\n\t@echo \"keeps nothing: '$${PYTHONDONTWRITEBYTECODE-}'\"\n"


def test_python_keeps_what_it_compiles_though_the_environment_forbids_it() -> None:
    """Images of other people set the variable, and each start then compiles a thousand modules anew."""
    told = os.environ | {"PYTHONDONTWRITEBYTECODE": "1"}
    said = subprocess.run(
        ["make", "--silent", "--file=-", "says"],
        input=_SAYS,
        cwd=ROOT,
        env=told,
        capture_output=True,
        text=True,
        check=True,
    )
    assert said.stdout == "keeps nothing: ''\n"
