"""The render command: what was made and what was kept, and exit 1 where a page says what the artifacts do not."""

import json


def test_pages_are_made_and_then_kept(house):
    assert house.run("build").code == 0
    assert house.run("render").out == "made  Temp/orders_v1.md\n"
    assert house.run("render").out == "kept  Temp/orders_v1.md\n"
    assert house.run("-q", "render").out == ""
    assert json.loads(house.run("render", "--format", "json").out) == [
        {"file": "Temp/orders_v1.md", "made": False, "problems": []}
    ]


def test_a_page_that_is_not_borne_out_is_exit_1_also_when_quiet(house):
    names = "{% for order in plan.orders %}\n- {{ order.ticker|ticker }}\n{% endfor %}\n"
    house.write("renderers/orders.md.j2", "{# Every order #}\n" + names)
    assert house.run("build").code == 0
    said = house.run("-q", "render")
    assert said.code == 1
    assert "the page holds no figure from its artifacts" in said.out
    (page,) = json.loads(house.run("render", "--format", "json").out)
    assert (page["made"], len(page["problems"])) == (False, 1)


def test_without_artifacts_there_is_nothing_to_render(house):
    said = house.run("render")
    assert (said.code, said.out) == (1, "")
    assert "plan is not built" in said.err


def test_an_edited_page_is_made_anew_only_when_that_is_asked_for(done):
    page = done.root / "Temp/orders_v1.md"
    before = page.read_bytes()
    page.write_bytes(before.replace(b"30", b"31"))
    said = done.run("render")
    assert said.code == 1
    assert "Temp/orders_v1.md is not as the build left it" in said.err
    assert done.run("render", "--accept-rebuild", "orders").out == "made  Temp/orders_v1.md\n"
    assert page.read_bytes() == before
