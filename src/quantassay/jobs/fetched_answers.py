"""The answers of sources as they came, each beside a note of what was asked, of whom, and when: raw files of bars."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from quantassay.errors import AssayError
from quantassay.feeds.day_answers import Answer, NoAnswer, Question
from quantassay.harness import canonical, files
from quantassay.store.bars_index import sha256

NOTE = ".origin.json"


class AnswerChanged(AssayError):
    """A kept answer that is not what its note says."""

    exit_code = 1

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"{path} is gone, or was changed after it was fetched; put it back, or delete it with its {NOTE} and fetch "
            "again"
        )


@dataclass(frozen=True, slots=True)
class Kept:
    """One answer on the disk: what bars call their source, the file, and its note."""

    file: str
    path: Path
    note: Mapping[str, Any]

    @property
    def data(self) -> bytes:
        """The answer. Raises AnswerChanged."""
        try:
            data = self.path.read_bytes()
        except OSError:
            raise AnswerChanged(self.path) from None
        if sha256(data) != self.note["digest"]:
            raise AnswerChanged(self.path)
        return data

    @property
    def taken_at(self) -> datetime:
        """When it was asked for (aware)."""
        return datetime.fromisoformat(self.note["taken_at"])

    @property
    def question(self) -> Question:
        """What was asked."""
        note = self.note
        return Question(note["market"], note["board"], note["place"], date.fromisoformat(note["session"]))

    def provenance(self) -> dict[str, Any]:
        """What the import log says of it."""
        return {name: member for name, member in self.note.items() if name not in ("file", "digest")}


def folder(data: Path) -> Path:
    """Where answers lie, in a folder for each source."""
    return data / "fetches"


def keep(
    data: Path,
    source: Mapping[str, str],
    question: Question,
    answer: Answer,
    passed_over: Sequence[tuple[str, NoAnswer]],
) -> Kept:
    """Put an answer on the disk, then its note; an answer without its note counts as never come.

    Args:
        data: the workspace's data folder
        source: `id` of the source, its `kind` (which tells how the answer is read), `prices`
        question: what was asked
        answer: what came
        passed_over: the sources that were to be asked first, and why they gave nothing

    Raises:
        Unwritable
    """
    digest = sha256(answer.data)
    instant = f"{answer.taken_at:%Y%m%dT%H%M%SZ}"
    name = f"{question.market}_{question.board}_{question.compact_day}_{instant}_{digest.removeprefix('sha256:')[:8]}"
    file = f"{source['id']}/{name}.json"
    path = folder(data) / file
    note = {
        "file": file,
        "source": source["id"],
        "kind": source["kind"],
        "prices": source["prices"],
        "market": question.market,
        "board": question.board,
        "place": question.place,
        "session": question.session.isoformat(),
        "request": dict(answer.request),
        "taken_at": answer.taken_at.isoformat(),
        "digest": digest,
        "bytes": len(answer.data),
        "instead_of": [{"source": name, "why": error.kind, "says": error.says} for name, error in passed_over],
    }
    files.write(path, answer.data)
    files.write(path.with_suffix(NOTE), canonical.dumps(note))
    return Kept(file, path, note)


def waiting(data: Path, market: str, known: Collection[str]) -> Iterator[Kept]:
    """The answers of a market that are not in the store, oldest first: a run ended before it came to them."""
    found = []
    for path in folder(data).glob(f"*/{market}_*{NOTE}"):
        note = canonical.read(path)
        if note["file"] not in known:
            found.append(Kept(note["file"], folder(data) / note["file"], note))
    yield from sorted(found, key=lambda one: (one.note["taken_at"], one.file))


def discard(kept: Kept) -> None:
    """Take an answer away that cannot be used and lies in quarantine by now; its note goes first."""
    kept.path.with_suffix(NOTE).unlink(missing_ok=True)
    kept.path.unlink(missing_ok=True)


def keep_chatter(data: Path, source: str, at: datetime, text: str) -> None:
    """Keep what a source printed, where it printed anything. Raises Unwritable."""
    if text.strip():
        files.write(folder(data) / "chatter" / f"{source}_{at:%Y%m%dT%H%M%SZ}.txt", text.encode(), durable=False)
