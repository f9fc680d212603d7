"""KIS clients of others drive the practice server, each in an environment of its own: what works, call by call.

    python benchmarks/kis_clients.py             make the environments, try every client, print the table

Needs uv and a package registry. None of the clients is changed but for the address that it speaks to.
"""

import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import yaml

from quantassay.domain.market.price_rules import price_rules
from quantassay.domain.market.sessions import Calendar
from quantassay.jobs.clock import ShiftedClock, SystemClock
from quantassay.kis.rehearsal import ACCOUNT, APP_KEY, APP_SECRET
from quantassay.sandbox.accounts import Opening
from quantassay.sandbox.exchange import Exchange
from quantassay.sandbox.gateway import NO_LIMITS
from quantassay.sandbox.serve import Server, serve
from quantassay.sandbox.tape import Name, quiet_tape

SEOUL = ZoneInfo("Asia/Seoul")
SPEC = Path(__file__).resolve().parents[1] / "spec/19_price_rules.yaml"
NAMES = {Name(f"99{n:04d}", f"Name {n}", "kosdaq"): 10_000 for n in range(30)}
# Every driver is given URL, key, secret and account, and prints what each step came to as one line of JSON.
HEAD = """
import json, sys
url, key, secret, account = sys.argv[1:5]
def step(name, do, expected=None):
    try:
        found = do()
    except Exception as error:
        print(json.dumps([name, False, f"{type(error).__name__}: {error}"[:90]])); return
    good = found == expected if expected is not None else bool(found)
    print(json.dumps([name, good, "" if good else repr(found)[:90]]))
"""
MOJITO = """
import mojito
class Virtual(mojito.KoreaInvestment):
    def set_base_url(self, mock=True):
        self.base_url = url
broker = Virtual(api_key=key, api_secret=secret, acc_no=account, mock=True)
step("price", lambda: broker.fetch_price("990001")["output"]["stck_prpr"], "10000")
step("balance", lambda: len(broker.fetch_balance()["output1"]), 20)  # it asks for more only after an M
step("orderable", lambda: broker.check_buy_order("990001", 10000, "00")["output"]["nrcvb_buy_qty"], "9998")
step("buy", lambda: broker.create_limit_buy_order("990001", 10000, 3)["rt_cd"], "0")
step("sell", lambda: broker.create_limit_sell_order("990002", 10000, 4)["rt_cd"], "0")
resting = broker.create_limit_buy_order("990003", 9000, 5)["output"]
step("cancel", lambda: broker.cancel_order(resting["KRX_FWDG_ORD_ORGNO"], resting["ODNO"], 5, True)["rt_cd"], "0")
step("bars", lambda: len(broker.fetch_ohlcv("990001")["output2"]) > 0)
"""
PYKIS = """
import pykis
domain = pykis.DomainInfo(kind="virtual")
domain.base_url = url
number, product = account.split("-")
api = pykis.Api({"appkey": key, "appsecret": secret}, domain, {"account_code": number, "product_code": product})
step("price", lambda: api.get_kr_current_price("990001"), 10000)
step("limit", lambda: api.get_kr_max_price("990001"), 13000)
step("balance", lambda: len(api.get_kr_stock_balance()), 25)
step("deposit", lambda: api.get_kr_deposit(), 100000000)
step("orderable", lambda: api.get_kr_buyable_cash() > 0)
step("buy", lambda: api.buy_kr_stock("990001", 3, 10000))
step("sell", lambda: api.sell_kr_stock("990002", 4, 10000))
step("bars", lambda: len(api.get_kr_ohlcv("990001")) > 0)
"""
KIS_AGENT = """
from kis_agent import Agent
number, product = account.split("-")
agent = Agent(app_key=key, app_secret=secret, account_no=number, account_code=product, base_url=url,
              enable_rate_limiter=False)
step("price", lambda: agent.get_stock_price("990001")["output"]["stck_prpr"], "10000")
step("book", lambda: agent.get_orderbook_raw("990001")["output1"]["askp1"], "10010")
step("bars", lambda: len(agent.inquire_daily_price("990001")["output"]) > 0)
step("balance", lambda: len(agent.get_account_balance()["output1"]), 25)
"""


@dataclass(frozen=True)
class Client:
    """What is installed, and the driver that is run with it."""

    wanted: tuple[str, ...]
    driver: str


CLIENTS = (
    Client(("mojito2==0.1.6", "pandas"), MOJITO),
    Client(("pykis==0.7.0",), PYKIS),
    Client(("kis-agent==1.6.1",), KIS_AGENT),
)


def exchange() -> Exchange:
    """A market that trades now, whatever day it is; one account with 25 names."""
    day = datetime.now(SEOUL).date()
    days = tuple(day + timedelta(days=n) for n in range(-10, 11))
    calendar = Calendar(SEOUL, days[0], days[-1], days, ((days[0], time(9), time(15, 30)),), {}, frozenset())
    tape = quiet_tape(calendar, price_rules(yaml.safe_load(SPEC.read_text(encoding="utf-8"))), day, NAMES, 1_000_000)
    held = {name.ticker: (10, Decimal(9_000)) for name in list(NAMES)[:25]}
    clock = ShiftedClock(datetime.combine(day, time(10), tzinfo=SEOUL))
    return Exchange(tape, [Opening(ACCOUNT, 100_000_000, held)], clock)


def drive(server: Server, client: Client, folder: Path) -> list[tuple[str, bool, str]]:
    """What came of each step of a client's driver."""
    python = folder / "bin/python"
    if not python.exists():
        subprocess.run(["uv", "venv", "-q", str(folder)], check=True)
        subprocess.run(["uv", "pip", "install", "-q", "--python", str(python), *client.wanted], check=True)
    command = [str(python), "-c", HEAD + client.driver, server.url, APP_KEY, APP_SECRET, ACCOUNT]
    with tempfile.TemporaryDirectory() as here:  # mojito keeps its token where it is run
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=here, timeout=120)
    rows = [tuple(json.loads(line)) for line in done.stdout.splitlines() if line.startswith('["')]
    if done.returncode:
        rows.append(("the driver", False, done.stderr.strip().splitlines()[-1][:90]))
    return rows


def main() -> int:
    """Try every client and print what came of it."""
    with tempfile.TemporaryDirectory() as made, serve(exchange(), limits=NO_LIMITS, wall=SystemClock()) as server:
        for client in CLIENTS:
            server.reset(exchange())
            rows = drive(server, client, Path(sys.argv[1] if sys.argv[1:] else made) / client.wanted[0].split("=")[0])
            orders = [one for one in server.exchange.orders(ACCOUNT) if not one.origin]
            print(f"{client.wanted[0]}: {sum(good for _, good, _ in rows)} of {len(rows)} steps, {len(orders)} orders")
            for name, good, why in rows:
                print(f"  {name:10} {'works' if good else 'fails: ' + why}")
            print("  server:", ", ".join(f"{one.call} {one.outcome}" for one in server.requests))
    return 0


if __name__ == "__main__":
    sys.exit(main())
