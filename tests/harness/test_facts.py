"""Facts that gates judge: what every artifact holds, and what every report prints."""

import pytest

from quantassay.harness import prove
from quantassay.harness.inputs import FACTS, Inputs
from quantassay.harness.rooms import BadUnit
from quantassay.harness.workspace import find

TABLE = "import polars as pl\nfrom quantassay.domain.table import Table\n"


@pytest.fixture
def built(toy):
    toy.write("spec/10_limits.yaml", "lot: 10\n")
    toy.builder(
        "plan", "limits", 'return {"orders": [{"n": limits["lot"]}]}', 'ORIGINS = {"/orders/*/n": ["limits:/lot"]}\n'
    )
    toy.builder("history", "limits", 'return Table(pl.DataFrame({"day": [2, 1]}), ("day",))', TABLE)
    toy.write("renderers/orders.md.j2", "{# T #}\n{% for o in plan.orders %}{{ o.n|int }}{% endfor %}\n")
    assert toy.run("build").code == 0
    return toy


def test_every_artifact_is_there_and_a_table_with_its_columns(built):
    inputs = Inputs(find(built.root))
    data = inputs.value("artifact_data")
    assert data["plan"] == {"orders": [{"n": 10}]}
    assert list(data["history"]["columns"]) == ["day"]
    changed = inputs.with_artifact("plan", {"orders": []})
    assert changed.value("artifact_data")["plan"] == {"orders": []}


def test_a_fact_of_every_artifact_is_known_as_such():
    assert "artifact_data" in prove.OF_EVERY_ARTIFACT
    assert set(FACTS) >= prove.OF_EVERY_ARTIFACT


def test_what_a_report_prints_follows_its_template(built):
    assert Inputs(find(built.root)).value("report_places") == {"orders": ["plan/orders/*/n"]}
    built.write("renderers/orders.md.j2", "{# T #}\n{{ plan.orders|count('order', 'orders') }}\n")
    assert Inputs(find(built.root)).value("report_places") == {"orders": ["plan/orders"]}
    built.write("renderers/orders.md.j2", "{# T #}\n{{ plan.orders|count( }}\n")
    with pytest.raises(BadUnit, match=r"orders\.md\.j2:2:1: this is no template"):
        Inputs(find(built.root)).value("report_places")
