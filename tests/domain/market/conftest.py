"""The real specs and the real calendar, and bars made of a few words."""

import importlib.util
from datetime import date, datetime
from pathlib import Path

import polars as pl
import pytest
import yaml

from quantassay.domain.market.sessions import calendar
from quantassay.feeds.holiday_tables import holiday_sources

ROOT = Path(__file__).parents[3]
SCHEMA = {
    "ticker": pl.String,
    "session": pl.Date,
    "open": pl.Float64,
    "high": pl.Float64,
    "low": pl.Float64,
    "close": pl.Float64,
    "volume": pl.Int64,
    "taken_at": pl.Datetime("us", "UTC"),
    "source": pl.String,
}


def read(file):
    return yaml.safe_load((ROOT / file).read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def spec():
    """The value of a spec or governance file, by its path in the repository."""
    return read


@pytest.fixture(scope="session")
def calendar_of():
    """The data of the calendar of a market, made of the real specs; each is made once."""
    path = ROOT / "builders/trading_calendar.py"
    unit = importlib.util.spec_from_file_location("trading_calendar", path)
    module = importlib.util.module_from_spec(unit)
    unit.loader.exec_module(module)
    made = {}

    def make(market):
        if market not in made:
            made[market] = module.build(
                calendars=read("spec/11_calendars.yaml"),
                desk={"market": market},
                holiday_sources=holiday_sources(),
                recorded_closures=read("governance/recorded_closures.yaml"),
                calendar_overrides=read("governance/calendar_overrides.yaml"),
            )
        return made[market]

    return make


@pytest.fixture(scope="session")
def calendar_data(calendar_of):
    return calendar_of("XKRX")


@pytest.fixture(scope="session")
def xkrx(calendar_data):
    return calendar(calendar_data)


@pytest.fixture(scope="session")
def xnys(calendar_of):
    return calendar(calendar_of("XNYS"))


@pytest.fixture(scope="session")
def xshg(calendar_of):
    return calendar(calendar_of("XSHG"))


@pytest.fixture
def frame():
    """A frame of bars from (ticker, date, close, volume, taken_at or None) each; prices flat but for the close."""

    def make(*bars):
        rows = [
            {
                "ticker": ticker,
                "session": date.fromisoformat(day),
                "open": float(close) - 1,
                "high": float(close) + 1,
                "low": float(close) - 1,
                "close": float(close),
                "volume": volume,
                "taken_at": datetime.fromisoformat(taken[0]) if taken else None,
                "source": f"{ticker}.csv",
            }
            for ticker, day, close, volume, *taken in bars
        ]
        return pl.DataFrame(rows, schema=SCHEMA)

    return make


@pytest.fixture(scope="session")
def kosdaq(shared):
    """The 78 real files as one frame of bars."""
    frames = []
    for path in sorted((shared / "data/kosdaq_daily").glob("*.csv")):
        raw = pl.read_csv(path)
        frames.append(
            raw.select(
                pl.lit(path.stem).alias("ticker"),
                pl.col("date").str.to_date().alias("session"),
                pl.col("open", "high", "low", "close").cast(pl.Float64),
                pl.col("volume").cast(pl.Int64),
                pl.lit(None, dtype=pl.Datetime("us", "UTC")).alias("taken_at"),
                pl.lit(path.name).alias("source"),
            )
        )
    return pl.concat(frames).sort("ticker", "session")
