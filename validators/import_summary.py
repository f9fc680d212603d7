"""The import summary of the quality page counts every file and every issue of the import log.

A file that was refused and is not named here is a name that silently falls out of the desk's sight.
"""

from collections.abc import Iterator
from typing import Any

from quantassay.findings import Judged, judged

RULES = ["R01.4"]


def check(
    data_quality: dict[str, Any], import_log: dict[str, Any] | None, adjusted_import_log: dict[str, Any] | None
) -> Iterator[Judged]:
    """Judges the number of loaded files, each refused file, and the count of each issue, of either series."""
    for place, log in (("imports", import_log), ("adjusted_imports", adjusted_import_log)):
        expected, actual = _summary(log), data_quality.get(place, {})
        for name, right in expected.items():
            says = f"{name} does not follow from the import log"
            ok = actual.get(name) == right
            yield judged(f"/{place}/{name}", ok=ok, says=says, expected=right, actual=actual.get(name))
        for name in sorted(set(actual) - set(expected)):
            yield judged(f"/{place}/{name}", ok=False, says=f"nobody asked for {name}", actual=actual[name])


def _summary(log: dict[str, Any] | None) -> dict[str, Any]:
    files, issues = (log["files"], log["issues"]) if log else ([], [])
    refused = sorted(file["file"] for file in files if not file["loaded"])
    codes = sorted(issue["code"] for issue in issues)
    return {
        "loaded": len(files) - len(refused),
        "refused": [
            {"file": file, "codes": sorted({issue["code"] for issue in issues if issue["file"] == file})}
            for file in refused
        ],
        "issues": [{"code": code, "count": codes.count(code)} for code in dict.fromkeys(codes)],
    }
