"""What may never be repeated: finds credentials and account numbers in a text, and takes them out of messages.

A file that holds one is refused, and no message, finding, log or page shows what was found. The forms are those of the
desk's own world: KIS keys and account numbers, KRX logins, signed tokens, passwords, private keys. A value that this
process has loaded as a secret is known by itself, whatever its form.
"""

import re

NOT_SHOWN = "(not shown)"
_WORDS = (
    r"krx_?(?:id|pw)|app_?key|app_?secret|api_?key|auth_?key|secret_?key|secret|(?:access|refresh|approval)_?token|token"
    r"|passwords?|passwd|passphrase|pwd|\b(?:id_)?pw|\ube44\ubc00\ubc88\ud638|\uc778\uc99d\ud0a4|\uc571\ud0a4"
)
_ACCOUNT_WORDS = r"cano|acc(?:oun)?t_?(?:no|num(?:ber)?)|account[ ]?(?:no\.?|number)?|\uacc4\uc88c(?:\ubc88\ud638)?"
# Behind such a word stands a value; a name of a variable, a gap to be filled in and a word like `none` are none.
_NO_VALUE = (
    r"(?:\$|<|\{|\*|\.\.|\(|-(?:\s|$)|x{3}|none\b|null\b|true\b|false\b|never\b"
    r"|[A-Z][A-Z0-9]*_[A-Z0-9_]*['\"]?(?:[\s,;)\]}]|$))"
)
_PAIR = re.compile(rf"((?i:{_WORDS})['\"]?\s*[:=]\s*['\"]?)(?!{_NO_VALUE})[^\s'\",;\]}})]{{4,}}")
_JWT = re.compile(r"\beyJ[\w-]{8,}\.[\w-]+(?:\.[\w-]*)?")
_BOT_TOKEN = re.compile(r"(?<![\d:.])\d{6,12}:[A-Za-z0-9_-]{30,}")
_HEADER = re.compile(rf"(?i:(authorization['\"]?\s*[:=]\s*['\"]?(?:basic|bearer)\s+))(?!{_NO_VALUE})[^\s'\"]{{4,}}")
_PRIVATE_KEY = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----|\bMC4CAQAwBQYDK2VwBCIEI\S*")
_ACCOUNT = re.compile(r"(?<![\d.,:-])\d{8}[-_]\d{2}(?![\d_-])")
_BEHIND_ACCOUNT = re.compile(rf"((?i:{_ACCOUNT_WORDS})['\"]?\s*[:=#]?\s*['\"]?)\d{{8}}(?:\d\d)?(?!\d)")
_QUOTED_DIGITS = re.compile(r"(?<=['\"])\d{10}(?=['\"])")
_DATE = re.compile(r"(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])")
# A public key, a signature and a digest are as long and as mixed, and are there to be seen.
_PUBLIC = re.compile(
    r"(?i:public|signature|\bsig\b|digest|sha\d+|fingerprint|key_?id|previous|evidence|transcript|content)"
)
_MIXED = re.compile(r"(?<![\w+/=:-])[A-Za-z0-9+/_-]{24,}={0,2}(?![\w+/=])")
_HEX = re.compile(r"(?<![\w:/.-])(?=[a-f]*[0-9])(?=[0-9]*[a-f])[0-9a-f]{32,}(?!\w)")
_LONG_DIGITS = re.compile(r"(?<![\w.,:-])\d{8,}(?![\w.,-])")
_TEN_DIGITS = re.compile(r"(?<!\d)\d{10}(?!\d)")
# Words in capitals and small letters with a digit are shorter than this; a key has no sign every few letters.
_SHORTEST_STRETCH = 16
_FORMS = (
    ("a login, password or key", _PAIR),
    ("a signed token", _JWT),
    ("a signed token", _HEADER),
    ("a bot's token", _BOT_TOKEN),
    ("a private key", _PRIVATE_KEY),
    ("an account number", _ACCOUNT),
    ("an account number", _BEHIND_ACCOUNT),
    ("an account number", _QUOTED_DIGITS),
    ("a key", _MIXED),
    ("a key", _HEX),
)
SHORTEST_KEPT = 5
# The secrets that this process has loaded, longest first; replaced whole, so that any thread sees all or none.
_kept: tuple[str, ...] = ()


class TooShort(ValueError):
    """A secret that cannot be told from an ordinary word, so that it could not be taken out of a text again."""

    def __init__(self) -> None:
        super().__init__(f"a secret of less than {SHORTEST_KEPT} characters cannot be taken out of texts again")


def keep(*forms: str) -> None:
    """Remember a secret that was loaded, in each form in which it is written; from now on it is withheld everywhere.

    To be called before a secret is used. Raises TooShort.
    """
    global _kept  # noqa: PLW0603 - what is secret is so for the whole process
    if any(len(form) < SHORTEST_KEPT for form in forms):
        raise TooShort
    _kept = tuple(sorted({*_kept, *forms}, key=lambda form: (-len(form), form)))


def is_kept(text: str) -> bool:
    """Whether a secret that was loaded stands in the text."""
    return any(form in text for form in _kept)


def kinds(text: str) -> list[str]:
    """What one line of text seems to hold, in words that repeat nothing of it; nothing where it is clean."""
    if is_kept(text):
        return ["a secret that is in use"]
    found = (what for what, form in _FORMS for match in form.finditer(text) if _is_secret(match))
    return list(dict.fromkeys(found))


def kinds_in_name(name: str) -> list[str]:
    """The same for a file name, where ten digits between marks are an account number."""
    return kinds(name) + ["an account number"] * bool(_TEN_DIGITS.search(name))


def withheld(text: str) -> str:
    """The text with everything that may be a credential taken out."""
    for secret in _kept:
        text = text.replace(secret, NOT_SHOWN)
    for _, form in _FORMS:
        text = form.sub(_without, text)
    return text


def withheld_name(name: str) -> str:
    """A file name without what `kinds_in_name` finds in it."""
    return _TEN_DIGITS.sub(NOT_SHOWN, withheld(name))


def _without(match: re.Match[str]) -> str:
    """What stands in the place of a match: the word that names it stays, the value goes."""
    return (match[1] if match.re.groups else "") + NOT_SHOWN if _is_secret(match) else match[0]


def withheld_digits(text: str) -> str:
    """The same without long runs of digits either, for words about a value that should have been something else.

    A round number of at least three zeros at its end is an amount and stays.
    """
    return _LONG_DIGITS.sub(lambda match: match[0] if match[0].endswith("000") else NOT_SHOWN, withheld(text))


def _is_secret(match: re.Match[str]) -> bool:
    form = match.re
    if form is _QUOTED_DIGITS:
        return not match[0].endswith("000")
    if form is _ACCOUNT:
        # A day and a number behind it, as files are named.
        return not _DATE.match(match[0])
    if form not in (_MIXED, _HEX):
        return True
    if form is _MIXED and not _is_mixed(match[0]):
        return False
    # What a name in front of it calls public is no secret.
    return _PUBLIC.search(match.string[max(0, match.start() - 40) : match.start()]) is None


def _is_mixed(token: str) -> bool:
    """Whether small and capital letters and digits stand mixed in one stretch, as they do in no word or path."""
    longest = max(re.split(r"[/_-]", token), key=len)
    return all(re.search(kind, longest) for kind in ("[a-z]", "[A-Z]", "[0-9]")) and len(longest) >= _SHORTEST_STRETCH
