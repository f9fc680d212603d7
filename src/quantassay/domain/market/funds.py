"""Tells funds and notes (ETF, ETN) from shares by their names, for sources that do not say which a ticker is.

A name is taken apart into words, and words are compared whole: an ordinary name with BULL or TIGER inside one of its
words is left alone. Brands count only at the beginning of a name, issuers only together with what they issue.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_WORD = re.compile(r"[^\W_]+(?:[.][0-9][^\W_]*)*")
_Words = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FundNames:
    """What makes a name a fund's: words anywhere, parts of words, brands in front, issuers in front of a kind."""

    words: frozenset[_Words]
    parts: tuple[str, ...]
    brands: frozenset[_Words]
    issuers: frozenset[_Words]
    kinds: frozenset[_Words]


def fund_names(spec: Mapping[str, Any], market: str) -> FundNames:
    """What the member `funds` of 26_daily_bars.yaml says for a market."""
    return FundNames(
        words=_phrases(spec["words"]),
        parts=tuple(part.upper() for part in spec["parts"]),
        brands=_phrases(spec["brands"].get(market, ())),
        issuers=_phrases(spec["issuers"]),
        kinds=_phrases(spec["kinds"]),
    )


def is_fund(name: str, known: FundNames) -> bool:
    """Whether a fund or a note is called so."""
    words = _words(name)
    if any(part in word for word in words for part in known.parts):
        return True
    if _holds(words, known.words) or _begins(words, known.brands):
        return True
    return any(words[: len(issuer)] == issuer and _holds(words[len(issuer) :], known.kinds) for issuer in known.issuers)


def _phrases(texts: Iterable[str]) -> frozenset[_Words]:
    return frozenset(_words(text) for text in texts)


def _words(text: str) -> _Words:
    return tuple(word.upper() for word in _WORD.findall(text))


def _begins(words: Sequence[str], phrases: Iterable[_Words]) -> bool:
    return any(tuple(words[: len(phrase)]) == phrase for phrase in phrases)


def _holds(words: Sequence[str], phrases: frozenset[_Words]) -> bool:
    return any(_begins(words[at:], phrases) for at in range(len(words)))
