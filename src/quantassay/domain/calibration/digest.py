"""The digest of a value by its content: whoever writes the same thing in another layout has the same digest."""

import hashlib
from typing import Any

import rfc8785


def digest(value: Any) -> str:
    """`sha256:` and 64 hex digits of the value's canonical JSON (RFC 8785) and one line end, as artifacts have them."""
    data = rfc8785.dumps(value) + b"\n"
    return f"sha256:{hashlib.sha256(data).hexdigest()}"
