"""A file under Temp/ with other bytes than were recorded is reported, field by field, and never built upon or over."""

import os

import pytest

from quantassay.harness import tampering
from quantassay.harness.inputs import Inputs
from quantassay.harness.workspace import find

TABLE = "import polars as pl\nfrom quantassay.domain.table import Table\n"


@pytest.fixture
def built(toy):
    """Limits -> orders -> total, and a table."""
    toy.write("spec/10_limits.yaml", "quantity: 40\n")
    orders = "return {'orders': [{'ticker': '000660', 'side': 'buy', 'quantity': limits['quantity']}]}"
    toy.builder("orders", "limits", orders)
    toy.builder("total", "orders", "return {'quantity': sum(o['quantity'] for o in orders['orders'])}")
    toy.builder(
        "bars", "limits", "return Table(pl.DataFrame({'k': ['a', 'b'], 'x': [limits['quantity'], 2]}), ('k',))", TABLE
    )
    assert toy.run("build").code == 0
    return toy


def edit(built, old=b'"quantity":40', new=b'"quantity":90', file="Temp/orders_v1.json"):
    path = built.root / file
    data = path.read_bytes()
    assert old in data
    path.write_bytes(data.replace(old, new))


def quietly(built):
    """An edit that a tool which goes by time and size would not see."""
    path = built.root / "Temp/orders_v1.json"
    stamp = path.stat()
    edit(built)
    os.utime(path, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    assert (path.stat().st_size, path.stat().st_mtime_ns) == (stamp.st_size, stamp.st_mtime_ns)


def by_copy(built):
    """The whole file replaced by another, as a restored backup would."""
    path = built.root / "Temp/orders_v1.json"
    other = path.with_name("backup")
    other.write_bytes(path.read_bytes().replace(b"40", b"90"))
    other.replace(path)


WAY_OUT = (
    "Temp/orders_v1.json is not as the build left it; "
    "take the edit out, or make the file anew with `assay build --accept-rebuild orders`"
)


@pytest.mark.parametrize("tamper", [edit, quietly, by_copy])
def test_an_edited_artifact_stops_the_build_and_is_told_field_by_field(built, tamper):
    tamper(built)
    before = built.temp()
    # Also when there is every reason to build it anew, and what is made of it.
    built.write("spec/10_limits.yaml", "quantity: 50\n")
    done = built.run("build")
    assert done.code == 1
    assert done.out == ""
    assert WAY_OUT in done.err.replace("assay: ", "")
    assert "quantity: 40 -> 90" in done.err
    assert built.temp() == before


def test_every_edited_file_is_told_at_once(built):
    edit(built)
    edit(built, file="Temp/total_v1.json")
    edit(built, b'"rows":2', b'"rows":3', file="Temp/bars_v1.json")
    done = built.run("build")
    assert done.code == 1
    assert [line.split(" ")[-1] for line in done.err.splitlines() if "--accept-rebuild" in line] == [
        "bars`",
        "orders`",
        "total`",
    ]


def test_an_edited_table_is_told(built):
    path = built.root / "Temp/bars_v1.parquet"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    done = built.run("build")
    assert done.code == 1
    assert "Temp/bars_v1.parquet is not as the build left it" in done.err
    assert "--accept-rebuild bars`" in done.err


@pytest.mark.parametrize("way", ["dry", "another", "why"])
def test_no_way_of_asking_gets_past_an_edit(built, way):
    edit(built)
    arguments = {"dry": ["--dry-run"], "another": ["bars"], "why": ["--why", "-q"]}[way]
    assert built.run("build", *[a for a in arguments if a != "-q"]).code == 1


def test_taking_the_edit_out_is_a_way_out(built):
    before = built.temp()
    edit(built)
    assert built.run("build").code == 1
    edit(built, b'"quantity":90', b'"quantity":40')
    done = built.run("build")
    assert (done.code, done.out) == (0, "3 kept\n")
    assert built.temp() == before


def test_accepting_makes_the_file_anew_and_nothing_of_the_edit_goes_on(built):
    before = built.temp()
    edit(built)
    done = built.run("build", "--accept-rebuild", "orders")
    assert done.code == 0, done.err
    assert done.out.splitlines() == ["unchanged orders", "1 unchanged, 2 kept"]
    assert built.temp() == before


def test_accepting_one_edit_accepts_no_other(built):
    edit(built)
    edit(built, file="Temp/total_v1.json")
    done = built.run("build", "--accept-rebuild", "orders")
    assert done.code == 1
    assert "Temp/total_v1.json is not as the build left it" in done.err
    assert "Temp/orders_v1.json" not in done.err
    assert built.run("build", "--accept-rebuild", "orders", "--accept-rebuild", "total").code == 0


def test_accepting_what_nobody_made_is_refused(built):
    edit(built)
    done = built.run("build", "--accept-rebuild", "order")
    assert done.code == 2
    assert done.err == "assay: --accept-rebuild names order, and no build made that; it made bars, orders, total\n"


def test_a_deleted_artifact_is_made_again(built):
    before = built.temp()
    for file in ("Temp/orders_v1.json", "Temp/bars_v1.parquet"):
        (built.root / file).unlink()
    assert built.run("build").out.splitlines()[-1] == "2 unchanged, 1 kept"
    assert built.temp() == before


def test_without_the_kept_copy_an_edit_is_still_told(built):
    edit(built)
    inputs = Inputs(find(built.root))
    recorded = inputs.file_digest("orders")
    tampering.kept_path(inputs.workspace, recorded).write_bytes(b"{}")
    done = built.run("build")
    assert done.code == 1
    assert f"recorded {recorded}, found sha256:" in done.err
    assert "the recorded bytes are no longer kept" in done.err


def test_a_kept_copy_that_was_edited_is_made_good_when_its_file_is(built):
    before = built.temp()
    inputs = Inputs(find(built.root))
    path = tampering.kept_path(inputs.workspace, inputs.file_digest("orders"))
    path.write_bytes(b"{}")
    (built.root / "Temp/orders_v1.json").unlink()
    assert built.run("build").code == 0
    assert built.temp() == before


def test_what_is_kept_is_only_what_is_recorded(built):
    built.write("spec/10_limits.yaml", "quantity: 50\n")
    assert built.run("build").code == 0
    files = built.temp()
    made = {name for name in files if name.startswith("Temp/") and "/." not in name and "state" not in name}
    assert len([name for name in files if "/.kept/" in name]) == len(made) == 4


def test_an_artifact_that_is_a_folder_is_one_sentence(built):
    path = built.root / "Temp/orders_v1.json"
    path.unlink()
    path.mkdir()
    done = built.run("build")
    assert done.code == 2
    assert "Temp/orders_v1.json cannot be read: Is a directory" in done.err
