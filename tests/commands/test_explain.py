"""The explain command: text and JSON, and a word of warning when an input is no longer what was built from."""

import json


def test_a_number_of_a_page_leads_to_the_line_of_the_spec(done):
    said = done.run("explain", "Temp/orders_v1.md:6:11")
    assert (said.code, said.err) == (0, "")
    assert said.out.splitlines()[:4] == [
        'Temp/orders_v1.md:6:11  "30"  int',
        "  Temp/plan_v1.json#/data/orders/1/quantity = 30",
        "    comes from",
        "      spec/10_limits.yaml:1:6 limits:/lot = 10",
    ]


def test_json_holds_the_same(done):
    (told,) = json.loads(done.run("explain", "plan#/orders/1/quantity", "--format", "json").out)
    assert (told["value"]["value"], told["value"]["origins"][0]["where"]) == (30, "spec/10_limits.yaml:1:6")


def test_an_input_that_changed_since_is_said(done):
    done.write("spec/10_limits.yaml", "lot: 7\n")
    said = done.run("explain", "plan#/orders/1/quantity")
    assert "limits:/lot = 7" in said.out
    assert said.err == (
        "assay: limits changed since this was built, and is shown as it lies there now; run `assay run`\n"
    )


def test_a_place_that_is_none_is_wrong_use(done):
    page = "Temp/orders_v1.md"
    for target in ("plan", "plan#/orders/9", "nothing#/orders", page, f"{page}:1", "Temp/x.md:1"):
        said = done.run("explain", target)
        assert (said.code, said.out) == (2, ""), target
        assert said.err.startswith("assay: "), target
