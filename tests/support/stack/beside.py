"""Beside: a second set of read models on the same log, folded by projectors of one test alone."""

from tests.support.stack.deployments import Deployment


async def beside(deployment: Deployment, name: str) -> dict[str, str]:
    """Return the environment of projectors that fold into an empty database, as a group of their own."""
    return {
        "PROJECTOR_POSTGRES_DSN": await deployment.fresh_database(name),
        "PROJECTOR_GROUP_ID": name,
        "PROJECTOR_TEXTS_GROUP_ID": f"{name}.texts",
    }
