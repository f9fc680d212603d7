"""A credential that somebody left in a file of the desk shows in nothing that the desk says, writes or packages."""

import pytest

KEY = "PS" + "fakeKey0123456789abcdefghijklmnopqr"
SECRET = "fake/Secret+" + "0123456789abcdefABCDEF" * 6 + "=="
TOKEN = ".".join(("eyJ" + "hbGciOiJIUzI1NiJ9", "eyJ" + "zdWIiOiIxMjM0In0", "c2lnbmF0dXJl_-"))
ACCOUNT = "50123456" + "-01"
BARE = "50123456" + "01"
PASSWORD = "hunter" + "2xyz"
SECRETS = {
    "an app key": f"app_key: {KEY}",
    "an app key alone": KEY,
    "an app secret": f"KIS_APP_SECRET={SECRET}",
    "a token": f"Bearer {TOKEN}",
    "an account number": f"account {ACCOUNT}",
    "an account number without its dash": f"계좌 {BARE}",
    "a password": f"password={PASSWORD}",
}
HIDDEN = [part.encode() for part in (KEY, SECRET, TOKEN, ACCOUNT, BARE, "50123456", PASSWORD)]
COMMANDS = (
    "run", "gate", "gate --format json", "gate --format sarif", "gate --format junit", "gate --format annotations",
    "render", "status", "verify", "specs check", "specs check --format json", "rooms", "package",
    "package --audit-only", "explain next_open_plan#/orders", "-v run --format json", "build --dry-run --why",
)  # fmt: skip


def everything(toy):
    """Each command's exit code, and where one of the secrets can be read afterwards."""
    codes, shown = {}, []
    for command in COMMANDS:
        done = toy.run(*command.split())
        codes[command] = done.code
        shown += [
            (command, name) for name in ("out", "err") if any(part in getattr(done, name).encode() for part in HIDDEN)
        ]
    return codes, shown + files_that_show(toy)


def files_that_show(toy):
    """The files of Temp/ and data/ that hold one, by content or by name; the copies in quarantine are meant to."""
    found = []
    for room in ("Temp", "data"):
        for path in sorted((toy.root / room).rglob("*")):
            file = path.relative_to(toy.root).as_posix()
            kept = "imports/quarantine/" in file and not file.endswith(".reason.json")
            text = file.encode() + (path.read_bytes() if path.is_file() and not kept else b"")
            found += [file] if any(part in text for part in HIDDEN) else []
    return found


def test_in_comments_the_gate_is_red_no_package_is_made_and_nothing_shows_them(desk):
    path = desk.root / "spec/17_next_open.yaml"
    first = len(path.read_text().splitlines()) + 1
    path.write_text(path.read_text() + "".join(f"# {secret}\n" for secret in SECRETS.values()), encoding="utf-8")
    codes, shown = everything(desk)
    assert shown == []
    assert [codes[name] for name in ("run", "gate", "package", "package --audit-only")] == [1, 1, 1, 1]
    said, refused = desk.run("gate").out, desk.run("package", "--audit-only").err
    assert "R06.1" in said
    for line in range(first, first + len(SECRETS)):
        assert f"spec/17_next_open.yaml:{line} " in said
        assert f"spec/17_next_open.yaml:{line} seems to hold" in refused


def test_after_a_passed_run_one_is_seen_although_a_comment_changes_no_value(desk):
    path = desk.root / "governance/gates.yaml"
    path.write_text(path.read_text() + "# a plain comment\n")
    assert desk.run("run").out.startswith("nothing has changed")
    path.write_text(path.read_text() + f"# {KEY}\n")
    assert desk.run("package").code == 1
    assert desk.run("run").code == 1
    path.write_text(path.read_text().replace(KEY, "gone"))
    assert desk.run("run").code == 0


def refused(toy, file):
    """What still shows a secret after all that reads the file was run; each of them must refuse it and say where."""
    shown = []
    for command in ("run", "status", "specs check", "package --audit-only"):
        done = toy.run(*command.split())
        assert (command, done.code, f"{file}:" in done.out + done.err) == (command, 2, True)
        shown += [part for part in HIDDEN if part in (done.out + done.err).encode()]
    return shown + files_that_show(toy)


ALL = " ; ".join(SECRETS.values())
VALUES = {
    "title of a report": ("spec/90_reports.yaml", 'title: "Data quality"', f'title: "Data quality {ALL}"'),
    "name of the desk": ("spec/00_workspace.yaml", 'name: "desk"', f'name: "{ALL}"'),
    "statement of a rule": ("governance/rules/03_orders.yaml", "order on each side.", f"order on each side, {ALL}."),
    "reason of an exemption": ("governance/gates.yaml", "A plan may hold no sell.", ALL),
    "id of the account": ("spec/20_accounts.yaml", "id: sample", f'id: "{ALL}"'),
    "id that is an account number": ("spec/20_accounts.yaml", "id: sample", f'id: "{ACCOUNT}"'),
    "id that is one without its dash": ("spec/20_accounts.yaml", "id: sample", f'id: "{BARE}"'),
    "id that is one without quotes": ("spec/20_accounts.yaml", "id: sample", f"id: {BARE}"),
    "id that is its first part": ("spec/20_accounts.yaml", "id: sample", f"id: {BARE[:8]}"),
    "key alone": ("spec/17_next_open.yaml", "count_on_sells:", f'"{KEY}": 3\ncount_on_sells:'),
    "key that is an account number": ("spec/17_next_open.yaml", "count_on_sells:", f'"{ACCOUNT}": 3\ncount_on_sells:'),
    "key twice": ("spec/17_next_open.yaml", "count_on_sells:", f'"{BARE}": 3\n"{BARE}": 4\ncount_on_sells:'),
    "under a key for it": ("spec/17_next_open.yaml", "count_on_sells:", f"app_key: {KEY}\ncount_on_sells:"),
    "where a number must be": ("spec/17_next_open.yaml", "max_positions: 8", f'max_positions: "{TOKEN}"'),
}


@pytest.mark.parametrize(("file", "old", "new"), VALUES.values(), ids=VALUES)
def test_in_a_key_or_a_value_the_file_is_refused_and_nothing_shows_it(desk, edit, file, old, new):
    edit(desk, file, old, new)
    assert refused(desk, file) == []


@pytest.mark.parametrize(
    "name", [f"spec/41_{KEY}.yaml", f"spec/41_x{BARE}.yaml", f"governance/waivers/W{ACCOUNT}.yaml"]
)
def test_in_the_name_of_a_file_it_is_not_repeated(desk, name):
    desk.write(name, "a: 1\n")
    codes, shown = everything(desk)
    assert shown == []
    assert codes["run"] != 0
    assert codes["package --audit-only"] != 0


BARS = "date,open,high,low,close,volume\n2020-11-18,100,110,90,105,{}\n"
UNIVERSE = "Ticker,Name,Close,Volume,TradedValue\n005930,{},100,100,1000000\n"


def test_in_files_that_are_imported_only_the_copies_in_quarantine_hold_it(desk):
    desk.write("in/000660.csv", BARS.format(1).replace("volume", f'volume,"{ALL}"').replace(",1\n", ",1,x\n"))
    for number, secret in enumerate(SECRETS.values()):
        desk.write(f"in/{number:06}.csv", BARS.format(f'"{secret}"'))
        desk.write(f"in/{secret.replace('/', '-')}.csv", BARS.format(3))
        desk.write(f"lists/{number}_20251217.csv", UNIVERSE.format(f'"{secret}"'))
    heads = "회사명,시장구분,종목코드,업종,주요제품,상장일,결산월,대표자명,홈페이지,지역"
    desk.write("listed.csv", f'{heads},"{ALL}"\n"{ALL}",코스닥,005930,제조업,x,2026-01-30,12,y,z,w,"{ALL}"\n')
    shown = []
    for form in ("text", "json"):
        done = desk.run("import", "listing", desk.root / "listed.csv", "--dry-run", "--format", form)
        shown += [part for part in HIDDEN if part in (done.out + done.err).encode()]
        assert "(not shown)" in done.out
    assert desk.run("import", "listing", desk.root / "listed.csv").code == 1
    sources = [("bars", desk.root / "in"), *(("universe", path) for path in sorted((desk.root / "lists").iterdir()))]
    for kind, source in sources:
        done = desk.run("import", kind, source, "--market", "XKRX")
        shown += [(kind, part) for part in HIDDEN if part in (done.out + done.err).encode()]
        assert kind == "bars" or (done.code, "quarantine" in done.out) == (1, True)
    codes, more = everything(desk)
    assert shown + more == []
    assert codes["run"] in {0, 1}
