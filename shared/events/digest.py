"""The digest: whether two requests under one Idempotency-Key ask for the same thing (rule R24)."""

import hashlib
import json
from collections.abc import Mapping


def digest_of(verb: str, target: str, given: Mapping[str, str | bool | None]) -> str:
    """Return SHA-256, in hex, of what the caller asked for; order, encoding, headers and dialect do not count.

    `given` maps our names of the parameters to what was said: absent, None and "" are the same, ids are decimal text
    (timers in the short spelling), times are as the caller spelt them. Give it no free text: a digest
    outlives an erasure.
    """
    said = {name: value for name, value in given.items() if value is not None and value != ""}
    text = json.dumps([verb, target, said], ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
