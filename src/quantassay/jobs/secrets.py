"""The values of the credentials that governance names, from the environment or a file that only its owner reads."""

import base64
import json
import os
import shutil
import stat
import subprocess
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote, quote_plus

import yaml

from quantassay import secrecy
from quantassay.errors import AssayError
from quantassay.harness.inputs import Inputs
from quantassay.jobs import approvals, desk, logs
from quantassay.kis import rehearsal

FILE = "secrets.yaml"
# Names the file where it does not lie in the workspace.
PLACE = "ASSAY_SECRETS"
_MOST_BYTES = 65_536
_GIT_S = 10
# What requests leaves as it is in an address that it was given.
_LEFT_IN_ADDRESSES = "!#$%&'()*+,/:;=?@[]~"
# An environment of an account, and the credential that opens it.
_KIS = {"virtual": "kis_virtual", "real": "kis_real"}


class NotAllowed(AssayError):
    """A login that governance does not allow; nothing was read."""

    exit_code = 1

    def __init__(self, credential: str, why: str) -> None:
        super().__init__(f"the login {credential} is not used: {why}")


class NoLogin(AssayError):
    """An environment that asks for no login."""

    def __init__(self, environment: str) -> None:
        super().__init__(
            f"an account of the environment {environment!r} asks for no login; rehearsal, virtual and real do"
        )


class NoSecret(AssayError):
    """A credential of which a value is missing."""

    def __init__(self, credential: str, missing: list[str], where: str) -> None:
        super().__init__(f"{credential} lacks {', '.join(missing)} in {where}; docs/operations.md says how to give it")


class SecretsExposed(AssayError):
    """A file of secrets that others can read, or may soon; it was not read."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(f"{path} is not read: {why}")


class BadSecrets(AssayError):
    """A file or variable of secrets that holds something else; what it holds is not shown."""

    def __init__(self, where: str, why: str) -> None:
        super().__init__(
            f'{where} {why}; write a line `NAME: "value"` for each variable of governance/credentials.yaml'
        )


def kis_secrets(folder: Path, environment: str) -> tuple[str, str, str]:
    """The app key, the app secret and the account number (50099999-01) of an account's environment.

    `folder` lies in a workspace. `rehearsal` has the public ones of the practice server. Whether governance allows the
    login is asked before anything is read. Raises NoLogin, NotAllowed, NoSecret, SecretsExposed, BadSecrets.
    """
    if environment == "rehearsal":
        return rehearsal.APP_KEY, rehearsal.APP_SECRET, rehearsal.ACCOUNT
    if environment not in _KIS:
        raise NoLogin(environment)
    found = read(desk.opened(folder), _KIS[environment])
    variables = list(found)
    key, secret, account = (
        found[next(name for name in variables if name.endswith(end))] for end in ("_KEY", "_SECRET", "_ACCOUNT")
    )
    digits = account.replace("-", "")
    # An account is also written without its dash, and by its first eight digits alone.
    secrecy.keep(*(form for form in (digits, digits[:8]) if len(form) >= secrecy.SHORTEST_KEPT))
    return key, secret, account


def read(inputs: Inputs, credential: str) -> dict[str, str]:
    """The values of a credential by variable, each withheld from now on wherever this process writes.

    All of them come from the environment where it has one, else from the file: a key of one account never meets the
    secret of another. Raises NotAllowed, NoSecret, SecretsExposed, BadSecrets.
    """
    permission = approvals.credential_allowed(inputs, credential)
    if not permission.allowed:
        raise NotAllowed(credential, permission.reason)
    logs.guard()
    listed = inputs.value("credentials")["credentials"]
    wanted = next(one["variables"] for one in listed if one["id"] == credential)
    given: Mapping[str, str] = {name: os.environ[name] for name in wanted if os.environ.get(name)}
    where = "the environment"
    if not given:
        path = place(inputs)
        known = {name for one in listed for name in one["variables"]}
        given, where = _file(path, known, explicit=bool(os.environ.get(PLACE))), f"the environment and in {path}"
    missing = [name for name in wanted if not given.get(name)]
    if missing:
        raise NoSecret(credential, missing, where)
    values = {name: given[name] for name in wanted}
    for name, value in values.items():
        _keep(name, value)
    return values


def place(inputs: Inputs) -> Path:
    """Where the file of secrets lies, if there is one."""
    named = os.environ.get(PLACE)
    return Path(named).expanduser() if named else inputs.workspace.root / FILE


def _keep(name: str, value: str) -> None:
    """Withhold the value in every form in which libraries write it. Raises BadSecrets."""
    if value != value.strip() or not value.isprintable():
        raise BadSecrets(name, "has blanks or line ends around or within its value")
    data = value.encode()
    quoted = {quote(value, safe=safe) for safe in ("", "/", _LEFT_IN_ADDRESSES)} | {quote_plus(value)}
    forms = {value, *quoted, json.dumps(value)[1:-1], repr(value)[1:-1]}
    try:
        secrecy.keep(*forms, base64.b64encode(data).decode())
    except secrecy.TooShort:
        raise BadSecrets(name, f"is shorter than {secrecy.SHORTEST_KEPT} characters, which is no secret") from None


def _file(path: Path, known: set[str], *, explicit: bool) -> dict[str, str]:
    """The variables of the file; none where there is no file and nobody named one."""
    try:
        # Not to wait for a writer where somebody has put a pipe.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        if explicit:
            raise BadSecrets(str(path), f"is not there, and {PLACE} names it") from None
        return {}
    except OSError as error:
        raise BadSecrets(str(path), f"cannot be read: {error.strerror}") from error
    try:
        # What was opened is looked at, so that nobody can put another file in its place in between.
        _check_private(path, os.fstat(descriptor))
        _check_untracked(path)
        data = os.read(descriptor, _MOST_BYTES + 1)
    finally:
        os.close(descriptor)
    return _parsed(data, path, known)


def _check_private(path: Path, found: os.stat_result) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise SecretsExposed(path, "it is no regular file")
    if found.st_uid != os.geteuid():
        raise SecretsExposed(path, "it belongs to somebody else; take it over with chown, or write your own")
    mode = stat.S_IMODE(found.st_mode)
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise SecretsExposed(path, f"others may use it (mode {mode:04o}); run `chmod 600 {path.name}` in its folder")


def _check_untracked(path: Path) -> None:
    """Raise SecretsExposed where git has the file, or where nobody can tell."""
    real = path.resolve()
    if not any((folder / ".git").exists() for folder in real.parents):
        return
    git = shutil.which("git")
    if git is None:
        raise SecretsExposed(
            path, f"it lies in a git checkout and git is not installed, so nobody can tell; name another in ${PLACE}"
        )
    bare = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    try:
        asked = subprocess.run(  # noqa: S603 - git by its full path, on a file that is there
            [git, "-C", str(real.parent), "ls-files", "--error-unmatch", "--", real.name],
            env=bare,
            capture_output=True,
            check=False,
            timeout=_GIT_S,
        )
    except (OSError, subprocess.TimeoutExpired):
        raise SecretsExposed(path, f"git could not be asked whether it is tracked; name another in ${PLACE}") from None
    if asked.returncode == 0:
        raise SecretsExposed(
            path, f"git tracks it; run `git rm --cached {real.name}`, and change every secret that was in it"
        )
    if asked.returncode != 1:
        raise SecretsExposed(path, f"git cannot tell whether it is tracked; name a file elsewhere in ${PLACE}")


def _parsed(data: bytes, path: Path, known: set[str]) -> dict[str, str]:
    """Names and values; nothing of the file reaches an error but names that governance knows and line numbers."""
    if len(data) > _MOST_BYTES:
        raise BadSecrets(str(path), "is too large")
    try:
        # Every scalar as text: a password of digits keeps its zeros.
        node = yaml.compose(data.decode(), Loader=yaml.BaseLoader)
    except UnicodeDecodeError:
        raise BadSecrets(str(path), "is not UTF-8") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f" in line {mark.line + 1}" if mark is not None else ""
        raise BadSecrets(str(path), f"cannot be read as YAML{line}") from None
    if node is None:
        return {}
    if not isinstance(node, yaml.MappingNode):
        raise BadSecrets(str(path), "holds no names with values")
    found: dict[str, str] = {}
    for key, value in node.value:
        line = f"{path}, line {key.start_mark.line + 1},"
        if key.value not in known:
            raise BadSecrets(line, "names no variable of governance/credentials.yaml")
        if key.value in found:
            raise BadSecrets(line, f"gives {key.value} a second time")
        if not isinstance(value, yaml.ScalarNode):
            raise BadSecrets(line, f"gives {key.value} no text")
        found[key.value] = value.value
    return found
