"""The strict YAML reader: every node keeps its place, and nothing is read as something else than it looks.

A plain scalar is null, true, false, a decimal integer, a decimal number or text. One that any YAML 1.1 or 1.2
reader would take for something else (000660 is 432, 15:40 is 940, `no` is false) is refused: quote it.
Anchors, aliases, merge keys, tags, duplicate keys and a second document are refused.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import yaml

from quantassay.harness import pointers
from quantassay.harness.canonical import DEEPEST, LARGEST_INTEGER
from quantassay.harness.problems import Problem
from quantassay.secrecy import withheld_digits

Place = tuple[int, int]

_INTEGER = re.compile(r"-?(0|[1-9][0-9]*)")
_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)\.[0-9]+")
_WORDS = {"": None, "null": None, "true": True, "false": False}
# What YAML 1.2's core schema resolves; YAML 1.1 is asked through PyYAML's own table.
_CORE = re.compile(
    r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+|[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?"
    r"|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)|~|null|Null|NULL|true|True|TRUE|false|False|FALSE|y|Y|n|N"
)
_RESOLVERS = yaml.SafeLoader.yaml_implicit_resolvers
_LONGEST_ODD = 40


@dataclass(slots=True)
class Document:
    """A YAML document: its value, the place of each value and of each key by JSON pointer, and its problems.

    `complete` is False where the reader could not go on to the end; the value is then only a part.
    """

    value: Any = None
    complete: bool = False
    places: dict[str, Place] = field(default_factory=dict)
    keys: dict[str, Place] = field(default_factory=dict)
    problems: list[tuple[Place, str]] = field(default_factory=list)


class _TooDeep(Exception):
    """The nesting at this event goes deeper than canonical JSON may."""

    def __init__(self, event: Any) -> None:
        super().__init__()
        self.event = event


class _Reader:
    """Builds a Document from the parser's events, in one pass."""

    def __init__(self, events: Iterator[Any]) -> None:
        self.events = events
        self.document = Document()
        self.depth = 0

    def refuse(self, event: Any, says: str) -> None:
        self.document.problems.append((_place(event), says))

    def node(self, event: Any, pointer: str) -> Any:
        self.document.places[pointer] = _place(event)
        if isinstance(event, yaml.AliasEvent):
            self.refuse(event, f"the alias *{event.anchor} is not allowed; write the value out")
            return None
        if event.anchor is not None:
            self.refuse(event, f"the anchor &{event.anchor} is not allowed; write the value out where it is needed")
        if event.tag is not None:
            self.refuse(event, f"the tag {event.tag} is not allowed; leave it out")
        if isinstance(event, yaml.ScalarEvent):
            return self.scalar(event)
        if self.depth == DEEPEST:
            raise _TooDeep(event)
        self.depth += 1
        value = self.sequence(pointer) if isinstance(event, yaml.SequenceStartEvent) else self.mapping(pointer)
        self.depth -= 1
        return value

    def scalar(self, event: Any) -> Any:
        text: str = event.value
        if event.style or event.tag is not None:
            return text
        if text in _WORDS:
            return _WORDS[text]
        if _INTEGER.fullmatch(text) or _NUMBER.fullmatch(text):
            number = _number(text)
            if number is None:
                self.refuse(event, f"{_short(text)} is no number that every reader agrees on; write it in quotes")
            return number
        if other := _taken_for(text):
            short = _short(text)
            self.refuse(event, f'{short} must be quoted: a YAML reader takes it for {other}; write "{short}"')
        return text

    def sequence(self, pointer: str) -> list[Any]:
        items: list[Any] = []
        while not isinstance(event := next(self.events), yaml.SequenceEndEvent):
            items.append(self.node(event, f"{pointer}/{len(items)}"))
        return items

    def mapping(self, pointer: str) -> dict[str, Any]:
        members: dict[str, Any] = {}
        while not isinstance(event := next(self.events), yaml.MappingEndEvent):
            key = self.key(event)
            if key is None:
                self.skip(next(self.events))
                continue
            place = pointer + pointers.join(key)
            if key in members:
                first = self.document.keys[place]
                self.refuse(event, f"the key {key!r} stands twice; it stands first on line {first[0]}")
            else:
                self.document.keys[place] = _place(event)
            members[key] = self.node(next(self.events), place)
        return members

    def key(self, event: Any) -> str | None:
        if not isinstance(event, yaml.ScalarEvent):
            self.refuse(event, "a key must be one word, not a list, a mapping or an alias")
            self.skip(event)
            return None
        if event.anchor is not None or event.tag is not None:
            self.refuse(event, "a key takes no anchor and no tag")
        if not event.style and event.value == "<<":
            self.refuse(event, "the merge key << is not allowed; write the members out")
        elif not event.style and not isinstance(self.scalar(event), str):
            self.refuse(event, f'the key {event.value or "(empty)"} must be quoted: write "{event.value}"')
        return str(event.value)

    def skip(self, event: Any) -> None:
        """Go past a node whose value is of no use."""
        depth = 0
        while True:
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if depth == 0:
                return
            event = next(self.events)


def _number(text: str) -> int | float | None:
    """The number that this decimal text is; None if a double cannot hold it exactly or as what it prints."""
    exact = Decimal(text)
    if abs(exact) > LARGEST_INTEGER or (exact.is_zero() and exact.is_signed()):
        return None
    number = float(text) if "." in text else int(text)
    return number if Decimal(repr(number)) == exact else None


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST_ODD else f"{text[:_LONGEST_ODD]}..."


def _place(event: Any) -> Place:
    return event.start_mark.line + 1, event.start_mark.column + 1


def _taken_for(text: str) -> str | None:
    """What some YAML reader makes of a plain scalar that should be text, in words; None if all read text."""
    resolvers = _RESOLVERS.get(text[:1], []) + _RESOLVERS.get(None, [])
    tag = next((tag for tag, pattern in resolvers if pattern.match(text)), None)
    if tag is None and not _CORE.fullmatch(text):
        return None
    if tag in (None, "tag:yaml.org,2002:value", "tag:yaml.org,2002:merge") or len(text) > _LONGEST_ODD:
        return "a number" if text[:1] in "+-.0123456789" else "something else"
    try:
        value = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError):
        return "something else"
    names = {bool: "the truth value", int: "the number", float: "the number", type(None): "nothing:"}
    return f"{names.get(type(value), 'the date')} {str(value).lower() if isinstance(value, bool) else value}"


def read(text: str) -> Document:
    """The document in this text; problems are collected, syntax errors among them, nothing is raised."""
    reader = _Reader(yaml.parse(text, Loader=yaml.CSafeLoader))
    document = reader.document
    try:
        for event in reader.events:
            if isinstance(event, yaml.DocumentStartEvent):
                if document.places:
                    reader.refuse(event, "a second document is not allowed; make it a file of its own")
                    break
                document.value = reader.node(next(reader.events), "")
        document.complete = bool(document.places)
    except _TooDeep as deep:
        reader.refuse(deep.event, f"this is nested deeper than {DEEPEST} levels; nothing after it was read")
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        document.problems.append((place, f"this is not YAML: {error.problem or error.context}"))
    except yaml.reader.ReaderError as error:
        place = end_of(text.encode()[: error.position].decode(errors="ignore"))
        document.problems.append((place, f"this is not YAML: {error.reason} (U+{error.character:04X})"))
    return document


def end_of(text: str) -> Place:
    """The place of what comes right after this text."""
    lines = f"{text}.".splitlines()
    return len(lines), len(lines[-1])


def located(file: str, text: str, found: Iterable[tuple[Place, str]]) -> list[Problem]:
    """Problems of this text as problems of this file, each with the line it stands on; neither repeats a credential."""
    # YAML and splitlines agree on what ends a line: also U+0085, U+2028 and U+2029.
    lines = text.splitlines()
    problems = []
    for place, says in found:
        line = lines[place[0] - 1] if place[0] <= len(lines) else ""
        problems.append(Problem(file, *place, withheld_digits(says), withheld_digits(line)))
    return problems
