"""Every artifact has the form that its schema states.

What reads an artifact next would otherwise have to guess at what is missing, misspelt or of another type.
"""

from collections.abc import Iterator

from quantassay.findings import Judged, judged

RULES = ["R04.1"]


def check(artifact_schema_errors: dict[str, list[dict[str, str]]]) -> Iterator[Judged]:
    """Judges each artifact as a whole, or at each place where it breaks its schema."""
    for artifact, errors in artifact_schema_errors.items():
        if not errors:
            yield judged("", ok=True, says="", artifact=artifact)
        for error in errors:
            yield judged(error["pointer"], ok=False, says=error["says"], artifact=artifact)
