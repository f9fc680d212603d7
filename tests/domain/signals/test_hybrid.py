"""The hybrid buy rule as a whole: equal to a plain loop over each name, blind to later bars, and the older program's.

The plain loop below is written from the docstrings alone; it knows one name at a time and shares no code with the rule.
"""

import json
import math
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from random import Random

import polars as pl
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from quantassay.domain.signals import hybrid
from quantassay.domain.signals.daily import daily
from quantassay.domain.signals.hybrid_rule import Breakout, Pullback, Reversal, Risk
from quantassay.feeds.csv_bars import read_bars
from quantassay.feeds.markets import market_of
from quantassay.feeds.raw_files import list_source, read_files

ROOT = Path(__file__).parents[3]
NAN = math.nan
ALL = frozenset(hybrid.CORRECTIONS)
# Short windows and wide zones, so that a dozen random bars come to every test of every pattern.
SMALL = hybrid.Rule(
    corrections=ALL,
    min_history=3,
    min_price=85.0,
    turnover_bars=3,
    min_turnover=100.0,
    exclude_funds=True,
    max_gap=0.05,
    long_period=4,
    long_required=True,
    sma_period=3,
    ema_short=2,
    ema_mid=4,
    rsi_period=2,
    rsi_middle=65.0,
    atr_period=2,
    volume_bars=2,
    look_back=2,
    pullback=Pullback(20.0, 90.0, 2, 1.5, 0.02),
    breakout=Breakout(99.0, 2, 4, 0.15, 0.5, confirmed=True),
    reversal=Reversal(0.0, 60.0, 40.0, 60.0, 0.03),
    risk=Risk(1.0, 1.0, 2.0, 0.05),
    weights=None,
)


def frame(rows, ticker="900010"):
    """Bars of (open, high, low, close, volume), one a day."""
    days = [date(2026, 1, 1) + timedelta(i) for i in range(len(rows))]
    schema = {"ticker": pl.String, "session": pl.Date}
    schema |= dict.fromkeys(("open", "high", "low", "close"), pl.Float64) | {"volume": pl.Int64}
    return pl.DataFrame([(ticker, day, *row) for day, row in zip(days, rows, strict=True)], schema, orient="row")


def told(rows, rule, **more):
    return hybrid.evaluate(daily(frame(rows)), rule, **more).drop("ticker", "session").to_dicts()


# The plain loop


class Plain:
    """One name, bar by bar."""

    def __init__(self, rows, rule):
        self.rule, self.fixed = rule, rule.corrections
        self.o, self.h, self.l, self.c, volumes = (list(column) for column in zip(*rows, strict=True))
        self.known = [volume is not None for volume in volumes]
        self.v = [float(volume or 0) for volume in volumes]
        self.s = [self.average(self.c, i, rule.sma_period) for i in range(len(rows))]
        self.e, self.m = self.ema(rule.ema_short), self.ema(rule.ema_mid)
        flat = NAN if "flat_rsi" in self.fixed else 100.0
        moves = [NAN, *(b - a for a, b in zip(self.c, self.c[1:], strict=False))]
        gains = self.wilder([max(move, 0.0) for move in moves], rule.rsi_period)
        losses = self.wilder([max(-move, 0.0) for move in moves], rule.rsi_period)
        self.r = [self.strength(gain, loss, flat) for gain, loss in zip(gains, losses, strict=True)]
        ranges = [
            max(h - low, abs(h - c), abs(low - c))
            for h, low, c in zip(self.h[1:], self.l[1:], self.c[:-1], strict=True)
        ]
        self.a = self.wilder([NAN, *ranges], rule.atr_period)

    @staticmethod
    def average(values, i, period):
        return NAN if i + 1 < period else sum(values[i + 1 - period : i + 1]) / period

    @staticmethod
    def shorter(values, i, period):
        window = values[max(i + 1 - period, 0) : i + 1]
        return sum(window) / len(window) if window else NAN

    def ema(self, period):
        out = self.c[:1]
        for close in self.c[1:]:
            out.append(out[-1] + 2.0 / (period + 1) * (close - out[-1]))
        return out

    @staticmethod
    def wilder(values, period):
        out = [NAN] * len(values)
        if len(values) > period:
            out[period] = sum(values[1 : period + 1]) / period
        for i in range(period + 1, len(values)):
            out[i] = (out[i - 1] * (period - 1) + values[i]) / period
        return out

    @staticmethod
    def strength(gain, loss, flat):
        if math.isnan(gain):
            return NAN
        if loss == 0:
            return flat if gain == 0 else 100.0
        return 100.0 - 100.0 / (1.0 + gain / loss)

    def shadow(self, i):
        return min(self.o[i], self.c[i]) - self.l[i] > abs(self.c[i] - self.o[i])

    def length(self, i):
        end, count = i - ("pullback_before" in self.fixed), 0
        while end - count >= 0 and self.c[end - count] <= self.e[end - count]:
            count += 1
        return count

    def pullback(self, i):
        own, first = self.rule.pullback, "pullback_before" in self.fixed
        if not self.c[i] > self.s[i]:
            return "below_sma", None, None
        if not self.e[i] >= self.m[i]:
            return "averages_crossed", None, None
        if not own.rsi_low <= self.r[i] <= own.rsi_high:
            return "rsi_outside", None, None
        end, count = (i - 1 if first else i), self.length(i)
        if first and not 1 <= count <= own.max_bars:
            return ("long_pullback" if count else "no_pullback"), None, None
        count = min(count, own.max_bars + 1)
        looked_at = range(end - count + 1, end + 1)
        if count == 0 and "pullback_slice" not in self.fixed:
            looked_at = range(i + 1)
        usual = self.shorter(self.v, i, self.rule.volume_bars)
        if any(self.c[j] < self.o[j] and usual > 0 and self.v[j] > usual * own.heavy_volume for j in looked_at):
            return "heavy_selling", None, None
        up = self.c[i] > self.e[i]
        busy = i > 0 and self.c[i] > self.o[i] and self.v[i] > max(self.v[i - 1], usual)
        rise = i > 0 and self.r[i - 1] <= self.rule.rsi_middle < self.r[i]
        hammer = self.shadow(i) and abs(self.l[i] - self.e[i]) / self.c[i] < own.hammer_reach
        triggers = (i > 0 and self.c[i - 1] <= self.e[i - 1] and up, busy, rise, hammer)
        if not any(triggers):
            return "no_trigger", None, None
        strong = self.r[i] > self.rule.rsi_middle
        ready = up and (strong or rise or busy)
        if "hammer_reclaim" not in self.fixed:
            ready = ready or (hammer and strong)
        return None, ready, triggers

    def fresh(self, i):
        """The blocker of a breakout on this bar alone, its swing high and its mean volume."""
        own = self.rule.breakout
        window = range(max(i - own.max_bars, 0), i)
        whole = window
        if "breakout_window" not in self.fixed:
            whole = range(max(i + 1 - own.max_bars, 0), i + 1)
            window = whole[:-1]
        swing = max((self.h[j] for j in window), default=NAN)
        before = "breakout_volume" in self.fixed
        usual = self.shorter(self.v, i - before, self.rule.volume_bars)
        if not self.e[i] > self.m[i] > self.s[i]:
            return "averages_not_aligned", swing, usual
        if not self.r[i] < own.rsi_below:
            return "rsi_high", swing, usual
        if len(whole) < own.min_bars:
            return "short_range", swing, usual
        if (max(self.h[j] for j in whole) - min(self.l[j] for j in whole)) / swing > own.max_range:
            return "wide_range", swing, usual
        if not (self.c[i] > swing and self.v[i] > usual):
            return "no_breakout", swing, usual
        return None, swing, usual

    def breakout(self, i):
        asked = self.rule.breakout.confirmed and "breakout_confirmation" in self.fixed
        blocker, swing, usual = self.fresh(i)
        second = False
        if asked and i > 0:
            earlier, original, then = self.fresh(i - 1)
            second = earlier is None and self.c[i] > original
            if second:
                blocker, swing, usual = None, original, then
        extended = self.c[i] > swing + self.rule.breakout.extended_atr * self.a[i]
        return blocker, not extended and (second or not asked), swing, usual, extended, second

    def reversal(self, i):
        own, usual = self.rule.reversal, self.shorter(self.v, i, self.rule.volume_bars)
        if not self.c[i] > self.s[i]:
            return "below_sma", None
        if not (i > 0 and own.oversold_low <= self.r[i - 1] <= own.oversold_high and self.r[i] > own.rebound_above):
            return "no_rebound", None
        if self.c[i] <= self.o[i] or self.v[i] < usual:
            return "weak_bar", None
        if not self.shadow(i):
            return "no_lower_shadow", None
        if not any(abs(self.l[i] - line[i]) / self.c[i] < own.reach for line in (self.e, self.m)):
            return "far_from_average", None
        return None, self.r[i] >= own.ready_rsi and self.c[i] > self.e[i]

    def filtered(self, i):
        """The outcome of the common filters, None where they let the bar pass."""
        rule, fixed = self.rule, self.fixed
        window = max(rule.turnover_bars, rule.volume_bars + 2, rule.pullback.max_bars + 1)
        turnover = self.shorter([c * v for c, v in zip(self.c, self.v, strict=True)], i, rule.turnover_bars)
        if i + 1 < max(rule.min_history, 2):
            return "short_history"
        if self.c[i] < rule.min_price:
            return "price_floor"
        if "unknown_volume" in fixed and not all(self.known[max(i + 1 - window, 0) : i + 1]):
            return "unknown_volume"
        if "zero_turnover" in fixed and turnover == 0:
            return "no_turnover"
        if turnover < rule.min_turnover:
            return "illiquid"
        long = self.average(self.c, i, rule.long_period)
        numbers = (self.s[i], self.r[i], self.a[i], long if rule.long_required else 0.0)
        if "unknown_indicator" in fixed and any(map(math.isnan, numbers)):
            return "unknown_indicator"
        if "gap_filter" in fixed and abs(self.o[i] - self.c[i - 1]) / self.c[i - 1] > rule.max_gap:
            return "gap"
        if "long_average" in fixed and rule.long_required and not self.c[i] > long:
            return "below_long_average"
        return None

    def row(self, i):
        """What `evaluate` says of this bar, as far as it decides."""
        stopped_1, ready_1, triggers = self.pullback(i)
        stopped_2, ready_2, swing, usual_2, extended, second = self.breakout(i)
        stopped_3, ready_3 = self.reversal(i)
        out = {"blocker_pullback": stopped_1, "blocker_breakout": stopped_2, "blocker_reversal": stopped_3}
        usual = self.shorter(self.v, i, self.rule.volume_bars)
        outcome = self.filtered(i)
        pattern, ready, trigger = None, None, NAN
        if outcome is None:
            outcome = "candidate"
            if stopped_1 is None:
                pattern, ready, trigger = "pullback", ready_1, self.e[i] if self.c[i] > self.e[i] else NAN
            elif stopped_2 is None:
                pattern, ready, trigger, usual = "breakout", ready_2, swing, usual_2
            elif stopped_3 is None:
                pattern, ready, trigger = "reversal", ready_3, self.e[i]
            else:
                outcome = "no_pattern"
        busy = pattern == "pullback" and triggers[1]
        return out | {
            "outcome": outcome,
            "pullback_bars": self.length(i),
            "pattern": pattern,
            "state": None if pattern is None else "READY" if ready else "WATCH",
            "trigger_price": trigger,
            "extended": pattern == "breakout" and extended,
            "confirmed": pattern == "breakout" and second,
            "volume_mean": usual,
            "volume_confirmed": busy or (usual > 0 and self.v[i] >= usual),
        }


def walk(seed, length):
    """Bars that go up and down in whole won near 100, in legs, with shadows on both sides, some without a volume."""
    chance, level, drift, rows = Random(seed), 100, 0, []
    for _ in range(length):
        drift = chance.choice([-2, 0, 1, 2, 3]) if chance.random() < 0.2 else drift
        first = max(level + chance.choice([-2, -1, 0, 0, 1, 2, 6]), 80)
        last = min(max(level + drift + chance.randint(-3, 3), 80), 140)
        shadows = chance.choice([0, 0, 1, 3]), chance.choice([0, 1, 3, 6])
        volume = chance.choice([0, 1, 3, 4, 4, 5, 5, 6, 9]) if chance.random() < 0.98 else None
        rows.append((first, max(first, last) + shadows[0], max(min(first, last) - shadows[1], 70), last, volume))
        level = last
    return rows


walks = st.builds(walk, st.integers(0, 10**6), st.integers(1, 60))


def same(one, other):
    return one == other or (one != one and other != other)  # noqa: PLR0124 - NaN is the one value unlike itself


@settings(max_examples=250)
@given(st.lists(walks, min_size=1, max_size=2), st.sets(st.sampled_from(sorted(ALL))), st.booleans(), st.booleans())
def test_the_rule_is_the_plain_loop_over_each_name(names, some, every, confirmed):
    rule = replace(
        SMALL,
        corrections=ALL if every else frozenset(some),
        breakout=replace(SMALL.breakout, confirmed=confirmed),
        long_required=not confirmed,
    )
    whole = pl.concat([frame(rows, f"90001{number}") for number, rows in enumerate(names)])
    found = hybrid.evaluate(daily(whole), rule).to_dicts()
    expected = [one.row(i) for rows in names for one in [Plain(rows, rule)] for i in range(len(rows))]
    for own, plain in zip(found, expected, strict=True):
        assert {name: (own[name], value) for name, value in plain.items() if not same(own[name], value)} == {}


@settings(max_examples=25)
@given(walks, st.booleans())
def test_later_bars_change_no_earlier_row(rows, every):
    rule = replace(SMALL, corrections=ALL if every else frozenset())
    whole = hybrid.evaluate(daily(frame(rows)), rule)
    for count in range(1, len(rows)):
        assert hybrid.evaluate(daily(frame(rows[:count])), rule).equals(whole.head(count))


def test_no_bars_give_no_rows():
    assert hybrid.evaluate(daily(frame([])), SMALL).height == 0


def test_bars_that_are_no_prices_repeated_or_in_disorder_change_nothing():
    good = frame(walk(11, 40))
    no_prices = [frame([(price, 101, 99, 100, 5)]) for price in (NAN, math.inf, -1.0, 0.0)]
    moved = [one.with_columns(session=date(2026, 3, 1 + number)) for number, one in enumerate(no_prices)]
    bad = pl.concat([good, *moved, good.with_columns(close=pl.col("close") + 1)])
    order = [*range(good.height, bad.height - good.height), *reversed(range(good.height))]
    mixed = bad[[*order, *range(bad.height - good.height, bad.height)]]
    assert hybrid.evaluate(daily(mixed), SMALL).equals(hybrid.evaluate(daily(good), SMALL))
    assert told(walk(11, 1), SMALL)[0]["outcome"] == "short_history"


# The older program's answers on real bars


@pytest.fixture(scope="module")
def older(shared):
    return json.loads((shared / "oracles/hybrid_buy.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def real(shared):
    paths, _ = list_source(shared / "data/kosdaq_daily")
    return daily(read_bars(read_files(paths), market_of("XKRX")).frame)


@pytest.mark.parametrize("name", ["default_min60", "repo_yaml", "loose"])
def test_without_corrections_every_verdict_is_the_older_programs(name, older, real):
    given, spec = older["settings"][name], published()
    spec["corrections"] = "none"
    spec["min_history"] = given["min_history_bars"]
    spec["min_price"]["KRW"], spec["turnover"]["least"]["KRW"] = given["min_price"], given["min_dollar_volume"]
    spec["pullback"] |= {"rsi_low": given["rsi_zone_low"], "rsi_high": given["rsi_zone_high"]}
    spec["reversal"] |= {"oversold_low": given["rsi_oversold_low"], "oversold_high": given["rsi_oversold_high"]}
    bars = ("breakout_consolidation_min_bars", "breakout_consolidation_max_bars")
    spec["breakout"] |= {"min_bars": given[bars[0]], "max_bars": given[bars[1]]}
    found = hybrid.evaluate(real, hybrid.parameters(spec, "KRW")).with_columns(
        bars=pl.int_range(1, pl.len() + 1).over("ticker")
    )
    expected = {
        (row["symbol"], bars): older["reason_index"][reason].split(" ")[0]
        for row in older["rows"]
        if row["settings"] == name
        for bars, reason in row["results"]
    }
    words = {"short_history": "Not", "price_floor": "Price", "illiquid": "Avg", "no_pattern": "Did"}
    known = {
        (one["symbol"], one["bars"]): (one["candidate"]["pattern"].split("_")[1], one["candidate"]["entry_state"])
        for one in older["candidates"]
        if one["settings"] == name
    }
    patterns = {"pullback": "pullback", "breakout": "high", "reversal": "oversold"}
    rows = {(row["ticker"], row["bars"]): row for row in found.to_dicts()}
    own = {key: words.get(rows[key]["outcome"], "CANDIDATE") for key in expected}
    assert own == expected
    shown = {key: (patterns[row["pattern"]], row["state"]) for key, row in rows.items() if row["pattern"]}
    assert {key: value for key, value in shown.items() if key in expected} == known


def published():
    return yaml.safe_load((ROOT / "spec" / "23_buy_hybrid.yaml").read_text(encoding="utf-8"))
