"""What a template prints is read from it as places, through its loops; what it only asks about is not among them."""

import pytest

from quantassay.harness.rooms import BadUnit
from quantassay.harness.template_places import printed


@pytest.mark.parametrize(
    ("template", "places"),
    [
        ("{{ plan.orders|count('order', 'orders') }}", ["plan/orders"]),
        ("{{ plan['a'].b|text }}", ["plan/a/b"]),
        ("{{ plan[plan.key]|text }}", ["plan/?"]),
        ("{% for o in plan.orders %}{{ o.n|int }}{% else %}{{ plan.note|text }}{% endfor %}",
         ["plan/note", "plan/orders/*/n"]),
        ("{% for k, v in plan.caps|items %}{{ k|text }}{{ v.n|int }}{% endfor %}", ["plan/caps/?/n"]),
        ("{% for o in plan.a %}{% for p in o.b %}{{ p|int }}{{ o.c|text }}{% endfor %}{% endfor %}",
         ["plan/a/*/b/*", "plan/a/*/c"]),
        ("{% if plan.asked %}{{ plan.a|int }}{% elif plan.more %}{{ plan.b|int }}{% else %}{{ plan.c|int }}{% endif %}",
         ["plan/a", "plan/b", "plan/c"]),
        ("{{ plan.value|amount(plan.unit) }}", ["plan/unit", "plan/value"]),
        ('{{ chart_line(e.rows, id="x", title="t", x="day", y=["a", "b"], format=["amount", "KRW"]) }}',
         ["e/rows/*/a", "e/rows/*/b", "e/rows/*/day"]),
        ("text only {# a note #}", []),
    ],
)  # fmt: skip
def test_the_places_that_are_printed(template, places):
    assert printed(template, "x.md.j2") == places


def test_what_is_no_template_is_named_with_its_line():
    with pytest.raises(BadUnit, match=r"^renderers/x\.md\.j2:2:1: this is no template: "):
        printed("a\n{% for %}\n", "renderers/x.md.j2")
