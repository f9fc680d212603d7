"""A whole house in a few lines: two artifacts, one of them a table, a gate, its rule, a report."""

import pytest

RULES = """title: Lots
rules:
  - id: "R01.1"
    statement: "Every order is for whole lots."
    why: "The exchange trades no parts of a lot."
    remedy: "Round the orders to whole lots."
    enforced_by: ["lots"]
    severity: "error"
    waivable: true
"""
SEVERITIES = """severities:
  - {name: "error", fails: true, meaning: "The gate fails."}
  - {name: "warning", fails: false, meaning: "Somebody should look."}
  - {name: "note", fails: false, meaning: "Worth knowing."}
"""
REPORTS = 'reports:\n  orders: {title: "Orders", needs_numbers: true, literals: []}\n'
PLAN = """shares = {"900010": 20, "900020": limits["lot"] * 3}
return {"orders": [{"ticker": ticker, "quantity": shares[ticker]} for ticker in sorted(shares)]}
"""
ORIGINS = 'ORIGINS = {"/orders/*/quantity": ["limits:/lot"]}\n'
TABLE = "import polars as pl\nfrom quantassay.domain.table import Table\n"
LOTS = '''"""Every order is for whole lots."""

from quantassay.findings import judged

RULES = ["R01.1"]


def check(plan, limits):
    for i, order in enumerate(plan["orders"]):
        found, lot = order["quantity"], limits["lot"]
        yield judged(f"/orders/{i}/quantity", ok=found % 10 == 0, says="is no whole lot", expected=lot, actual=found)
'''
PAGE = """{# Every order #}
{% for order in plan.orders %}
- {{ order.ticker|ticker }}: {{ order.quantity|int }}
{% endfor %}
"""


@pytest.fixture
def house(toy):
    """Not run yet. With `lot: 10` in spec/10_limits.yaml it passes; another lot makes an odd order."""
    toy.write("spec/10_limits.yaml", "lot: 10\n")
    toy.write("spec/90_reports.yaml", REPORTS)
    toy.write("governance/rules/01_lots.yaml", RULES)
    toy.write("governance/severities.yaml", SEVERITIES)
    toy.write("governance/gates.yaml", 'zero_legal: []\nleast_share_caught: "0.1"\n')
    toy.builder("plan", "limits", PLAN, ORIGINS)
    toy.builder("history", "limits", 'return Table(pl.DataFrame({"day": [2, 1]}), ("day",))', TABLE)
    toy.write("validators/lots.py", LOTS)
    toy.write("renderers/orders.md.j2", PAGE)
    return toy


@pytest.fixture
def done(house):
    """The same after its run."""
    assert house.run("run").code == 0
    return house
