"""What the practice server answers to calls about prices: quote, order book, daily bars, profile of a name.

The market stands at the opening price all session. What the practice market does not know (fundamentals, foreign
holdings, warnings) is zero, blank, or the value of an ordinary name.
"""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from quantassay.domain.market import price_rules
from quantassay.domain.market.sessions import State
from quantassay.sandbox.answers import envelope, percent, refusal
from quantassay.sandbox.exchange import Exchange
from quantassay.sandbox.tape import Bar, Session

DONE = ("MCA00000", "정상처리 되었습니다.")
NO_PROFILE = ("KIOK0560", "조회할 내용이 없습니다")
CHART_ROWS, DAILY_ROWS, DEPTH = 100, 30, 10
HALTED, ORDINARY = "58", "55"
# Fields of a quote in the server's order; those that the practice market does not work out, with what it says instead.
_QUOTE: Mapping[str, str] = {
    "iscd_stat_cls_code": ORDINARY,
    "marg_rate": "20.00",
    "rprs_mrkt_kor_name": "KSQ150",
    "bstp_kor_isnm": "일반",
    "temp_stop_yn": "N",
    "oprc_rang_cont_yn": "N",
    "clpr_rang_cont_yn": "N",
    "crdt_able_yn": "Y",
    "grmn_rate_cls_code": "40",
    "elw_pblc_yn": "N",
    "stck_prpr": "0",
    "prdy_vrss": "0",
    "prdy_vrss_sign": "3",
    "prdy_ctrt": "0.00",
    "acml_tr_pbmn": "0",
    "acml_vol": "0",
    "prdy_vrss_vol_rate": "0.00",
    "stck_oprc": "0",
    "stck_hgpr": "0",
    "stck_lwpr": "0",
    "stck_mxpr": "0",
    "stck_llam": "0",
    "stck_sdpr": "0",
    "wghn_avrg_stck_prc": "0.00",
    "hts_frgn_ehrt": "0.00",
    "frgn_ntby_qty": "0",
    "pgtr_ntby_qty": "0",
    "pvt_scnd_dmrs_prc": "0",
    "pvt_frst_dmrs_prc": "0",
    "pvt_pont_val": "0",
    "pvt_frst_dmsp_prc": "0",
    "pvt_scnd_dmsp_prc": "0",
    "dmrs_val": "0",
    "dmsp_val": "0",
    "cpfn": "0",
    "rstc_wdth_prc": "0",
    "stck_fcam": "0",
    "stck_sspr": "0",
    "aspr_unit": "0",
    "hts_deal_qty_unit_val": "1",
    "lstn_stcn": "0",
    "hts_avls": "0",
    "per": "0.00",
    "pbr": "0.00",
    "stac_month": "12",
    "vol_tnrt": "0.00",
    "eps": "0.00",
    "bps": "0.00",
    "d250_hgpr": "0",
    "d250_hgpr_date": "",
    "d250_hgpr_vrss_prpr_rate": "0.00",
    "d250_lwpr": "0",
    "d250_lwpr_date": "",
    "d250_lwpr_vrss_prpr_rate": "0.00",
    "stck_dryy_hgpr": "0",
    "dryy_hgpr_vrss_prpr_rate": "0.00",
    "dryy_hgpr_date": "",
    "stck_dryy_lwpr": "0",
    "dryy_lwpr_vrss_prpr_rate": "0.00",
    "dryy_lwpr_date": "",
    "w52_hgpr": "0",
    "w52_hgpr_vrss_prpr_ctrt": "0.00",
    "w52_hgpr_date": "",
    "w52_lwpr": "0",
    "w52_lwpr_vrss_prpr_ctrt": "0.00",
    "w52_lwpr_date": "",
    "whol_loan_rmnd_rate": "0.00",
    "ssts_yn": "Y",
    "stck_shrn_iscd": "",
    "fcam_cnnm": "0",
    "cpfn_cnnm": "0 억",
    "apprch_rate": "",
    "frgn_hldn_qty": "0",
    "vi_cls_code": "N",
    "ovtm_vi_cls_code": "N",
    "last_ssts_cntg_qty": "0",
    "invt_caful_yn": "N",
    "mrkt_warn_cls_code": "00",
    "short_over_yn": "N",
    "sltr_yn": "N",
    "mang_issu_cls_code": "N",
}
# Of an unknown name these are blank, and all other fields are "0": the server calls that a success.
_BLANK = frozenset(name for name in _QUOTE if name.endswith(("_yn", "_isnm", "_kor_name"))) | {
    "stck_shrn_iscd",
    "cpfn_cnnm",
    "apprch_rate",
    "vi_cls_code",
    "ovtm_vi_cls_code",
    "mang_issu_cls_code",
}
_NEEDED = {
    "profile": ("PDNO", "PRDT_TYPE_CD"),
    "daily_chart": ("FID_INPUT_ISCD", "FID_INPUT_DATE_1", "FID_INPUT_DATE_2", "FID_PERIOD_DIV_CODE", "FID_ORG_ADJ_PRC"),
}


def unfit(name: str, fields: Mapping[str, str]) -> dict[str, Any] | None:
    """The answer where a field is missing, or bars of weeks or months are asked for; None where all is fit."""
    missing = next((key for key in _NEEDED.get(name, ("FID_INPUT_ISCD",)) if key not in fields), None)
    if missing:
        return refusal("OPSQ2001", f"ERROR INPUT FIELD NOT FOUND [{missing}]", rt_cd="2")
    days_only = fields.get("FID_PERIOD_DIV_CODE", "D") == "D"
    return None if days_only else refusal("90000000", "모의투자에서는 해당업무가 제공되지 않습니다.")


def price(exchange: Exchange, ticker: str) -> dict[str, Any]:
    """The answer to inquire-price; a name that is not known is a success full of zeros."""
    session = exchange.tape.session(ticker, exchange.today())
    if session is None:
        zeros = {name: "" if name in _BLANK else "0" for name in _QUOTE}
        return envelope(DONE, output={**zeros, "stck_shrn_iscd": ticker})
    last, bar = exchange.last_price(ticker), seen(exchange, session)
    year = exchange.tape.bars(ticker, exchange.today() - timedelta(days=365), exchange.today())
    day, highest = max(((at, one.high) for at, one in year), key=lambda row: row[1], default=(exchange.today(), last))
    low_day, lowest = min(((at, one.low) for at, one in year), key=lambda row: row[1], default=(exchange.today(), last))
    extremes = {
        f"{prefix}_{name}": value
        for prefix in ("d250", "stck_dryy", "w52")
        for name, value in (("hgpr", str(highest)), ("lwpr", str(lowest)))
    }
    days = {
        f"{prefix}_{name}": f"{value:%Y%m%d}"
        for prefix in ("d250", "dryy", "w52")
        for name, value in (("hgpr_date", day), ("lwpr_date", low_day))
    }
    known = {
        "iscd_stat_cls_code": HALTED if session.is_halted else ORDINARY,
        "temp_stop_yn": "Y" if session.is_halted else "N",
        "stck_prpr": str(last),
        **_change(last, session),
        "prdy_ctrt": percent(last - session.base, session.base, 2),
        "acml_tr_pbmn": str(bar.volume * bar.open),
        "acml_vol": str(bar.volume),
        "stck_oprc": str(bar.open),
        "stck_hgpr": str(bar.high),
        "stck_lwpr": str(bar.low),
        "stck_mxpr": str(session.upper),
        "stck_llam": str(session.lower),
        "stck_sdpr": str(session.base),
        "wghn_avrg_stck_prc": f"{bar.open}.00",
        "rstc_wdth_prc": str(session.upper - session.base),
        "aspr_unit": str(price_rules.tick(exchange.tape.rules, last, exchange.today(), _kind(exchange, ticker))),
        "stck_shrn_iscd": ticker,
    }
    return envelope(DONE, output={**_QUOTE, **extremes, **days, **known})


def order_book(exchange: Exchange, ticker: str) -> dict[str, Any]:
    """The answer to inquire-asking-price-exp-ccn: ten steps on each side of the last price, and the server's time."""
    now = exchange.tape.local(exchange.clock.now())
    session = exchange.tape.session(ticker, exchange.today())
    last = exchange.last_price(ticker)
    asks, bids = _steps(exchange, ticker, session, last)
    shares = session.bar.volume * exchange.volume_percent // 100 // DEPTH if session else 0
    sizes = {f"{side}_rsqn{n}": str(shares) for side in ("askp", "bidp") for n in range(1, DEPTH + 1)}
    changes = {f"{side}_rsqn_icdc{n}": "0" for side in ("askp", "bidp") for n in range(1, DEPTH + 1)}
    zeros = ("total_askp_rsqn_icdc", "total_bidp_rsqn_icdc", "ovtm_total_askp_icdc", "ovtm_total_bidp_icdc")
    output1 = {
        "aspr_acpt_hour": f"{now:%H%M%S}",
        **{f"askp{n}": str(value) for n, value in enumerate(asks, 1)},
        **{f"bidp{n}": str(value) for n, value in enumerate(bids, 1)},
        **sizes,
        **changes,
        "total_askp_rsqn": str(shares * DEPTH),
        "total_bidp_rsqn": str(shares * DEPTH),
        **dict.fromkeys((*zeros, "ovtm_total_askp_rsqn", "ovtm_total_bidp_rsqn", "ntby_aspr_rsqn"), "0"),
        "new_mkop_cls_code": "20",
    }
    bar = seen(exchange, session) if session else Bar(0, 0, 0, 0, 0)
    output2 = {
        "antc_mkop_cls_code": "311",
        "stck_prpr": str(last),
        "stck_oprc": str(bar.open),
        "stck_hgpr": str(bar.high),
        "stck_lwpr": str(bar.low),
        "stck_sdpr": str(session.base if session else 0),
        "antc_cnpr": "0",
        "antc_cntg_vrss_sign": "5",
        "antc_cntg_vrss": str(-session.base if session else 0),
        "antc_cntg_prdy_ctrt": "-100.00",
        "antc_vol": "0",
        "stck_shrn_iscd": ticker,
        "vi_cls_code": "N",
    }
    return envelope(DONE, output1=output1, output2=output2)


def _steps(exchange: Exchange, ticker: str, session: Session | None, last: int) -> tuple[list[int], list[int]]:
    """Ten prices to sell at, from one tick above the last on, and ten to buy at, from the last on; 0 past a limit."""
    if session is None:
        return [0] * DEPTH, [0] * DEPTH
    rules, day, kind = exchange.tape.rules, exchange.today(), _kind(exchange, ticker)
    up = price_rules.round_up(rules, last, day, kind)
    asks, bids = [], [price_rules.round_down(rules, last, day, kind)]
    for _ in range(DEPTH):
        up = up + price_rules.tick(rules, up, day, kind)
        asks.append(up if up <= session.upper else 0)
    while len(bids) < DEPTH:
        low = bids[-1]
        bids.append(price_rules.round_down(rules, low - 1, day, kind) if low > session.lower else 0)
    return asks, bids


def daily_chart(exchange: Exchange, query: Mapping[str, str]) -> dict[str, Any]:
    """The answer to inquire-daily-itemchartprice: at most 100 bars of the window, the newest first."""
    ticker = query["FID_INPUT_ISCD"]
    session = exchange.tape.session(ticker, exchange.today())
    last = exchange.last_price(ticker)
    bars = _window(exchange, ticker, query["FID_INPUT_DATE_1"], query["FID_INPUT_DATE_2"])
    rows = [
        {
            "stck_bsop_date": f"{day:%Y%m%d}",
            "stck_clpr": str(bar.close),
            "stck_oprc": str(bar.open),
            "stck_hgpr": str(bar.high),
            "stck_lwpr": str(bar.low),
            "acml_vol": str(bar.volume),
            "acml_tr_pbmn": str(bar.volume * bar.close),
            "flng_cls_code": "00",
            "prtt_rate": "0.00",
            "mod_yn": "N",
            "prdy_vrss_sign": _sign(bar.close - before),
            "prdy_vrss": str(bar.close - before),
            "revl_issu_reas": "",
        }
        for day, bar, before in bars[:CHART_ROWS]
    ]
    return envelope(DONE, output1=_snapshot(exchange, ticker, session, last), output2=rows)


def daily_price(exchange: Exchange, ticker: str) -> dict[str, Any]:
    """The answer to inquire-daily-price: the last 30 bars, the newest first."""
    today = exchange.today()
    rows = [
        {
            "stck_bsop_date": f"{day:%Y%m%d}",
            "stck_oprc": str(bar.open),
            "stck_hgpr": str(bar.high),
            "stck_lwpr": str(bar.low),
            "stck_clpr": str(bar.close),
            "acml_vol": str(bar.volume),
            "prdy_vrss_vol_rate": "0.00",
            "prdy_vrss": str(bar.close - before),
            "prdy_vrss_sign": _sign(bar.close - before),
            "prdy_ctrt": percent(bar.close - before, before, 2),
            "hts_frgn_ehrt": "0.00",
            "frgn_ntby_qty": "0",
            "flng_cls_code": "00",
            "acml_prtt_rate": "1.00",
        }
        for day, bar, before in _window(exchange, ticker, "", f"{today:%Y%m%d}")[:DAILY_ROWS]
    ]
    return envelope(DONE, output=rows)


def profile(exchange: Exchange, query: Mapping[str, str]) -> dict[str, Any]:
    """The answer to search-info; a name that is not known is rt_cd 7."""
    ticker = query.get("PDNO", "")
    name = exchange.tape.names.get(ticker)
    if name is None or query.get("PRDT_TYPE_CD") != "300":
        return refusal(*NO_PROFILE, rt_cd="7")
    output = {
        "pdno": ticker.rjust(12, "0"),
        "prdt_type_cd": "300",
        "prdt_name": name.name,
        "prdt_name120": name.name,
        "prdt_abrv_name": name.name,
        "prdt_eng_name": name.name,
        "prdt_eng_name120": name.name,
        "prdt_eng_abrv_name": name.name,
        "std_pdno": f"KR7{ticker}00",
        "shtn_pdno": ticker,
        "prdt_sale_stat_cd": "",
        "prdt_risk_grad_cd": "",
        "prdt_clsf_cd": "100302" if name.is_fund else "100301",
        "prdt_clsf_name": "ETF" if name.is_fund else "주권",
        "sale_strt_dt": "",
        "sale_end_dt": "",
        "wrap_asst_type_cd": "06",
        "ivst_prdt_type_cd": "0623",
        "ivst_prdt_type_cd_name": "국내주식",
        "frst_erlm_dt": "",
    }
    return envelope(("KIOK0530", "조회되었습니다"), padded=True, output=output)


def seen(exchange: Exchange, session: Session) -> Bar:
    """What of a session's bar is known now: nothing before the open, the opening price in it, all of it after it."""
    match exchange.tape.state(exchange.clock.now()):
        case State.INTRADAY:
            opening = session.bar.open
            return Bar(opening, opening, opening, opening, session.bar.volume)
        case State.AFTER_CLOSE:
            return session.bar
        case _:
            return Bar(0, 0, 0, 0, 0)


def _window(exchange: Exchange, ticker: str, first: str, last: str) -> list[tuple[date, Bar, int]]:
    """The bars from day to day (YYYYMMDD) that are known now, the newest first, each with the close before it.

    The bar of a session that is still going on is one that is still forming, as the real server shows it. Days are
    compared as texts: a client that wants all bars asks from the year 0 on.
    """
    today = exchange.today()
    rows = exchange.tape.bars(ticker, date.min, today - timedelta(days=1))
    session = exchange.tape.session(ticker, today)
    if session and exchange.tape.state(exchange.clock.now()) in (State.INTRADAY, State.AFTER_CLOSE):
        rows.append((today, seen(exchange, session)))
    closes = [rows[0][1].open, *(bar.close for _, bar in rows)] if rows else []
    told = [(day, bar, close) for (day, bar), close in zip(rows, closes, strict=False)]
    return [row for row in reversed(told) if first <= f"{row[0]:%Y%m%d}" <= last]


def _snapshot(exchange: Exchange, ticker: str, session: Session | None, last: int) -> dict[str, str]:
    bar = seen(exchange, session) if session else Bar(0, 0, 0, 0, 0)
    earlier = exchange.tape.bars(ticker, date.min, exchange.today() - timedelta(days=1))[-1:]
    before = earlier[0][1] if earlier else Bar(0, 0, 0, 0, 0)
    asks, bids = _steps(exchange, ticker, session, last)
    name = exchange.tape.names.get(ticker)
    return {
        **(_change(last, session) if session else {"prdy_vrss": "0", "prdy_vrss_sign": "0"}),
        "prdy_ctrt": percent(last - session.base, session.base, 2) if session else "0",
        "stck_prdy_clpr": str(before.close),
        "acml_vol": str(bar.volume),
        "acml_tr_pbmn": str(bar.volume * bar.open),
        "hts_kor_isnm": name.name if name else "",
        "stck_prpr": str(last),
        "stck_shrn_iscd": ticker,
        "prdy_vol": str(before.volume),
        "stck_mxpr": str(session.upper if session else 0),
        "stck_llam": str(session.lower if session else 0),
        "stck_oprc": str(bar.open),
        "stck_hgpr": str(bar.high),
        "stck_lwpr": str(bar.low),
        "stck_prdy_oprc": str(before.open),
        "stck_prdy_hgpr": str(before.high),
        "stck_prdy_lwpr": str(before.low),
        "askp": str(asks[0]),
        "bidp": str(bids[0]),
        "prdy_vrss_vol": str(bar.volume - before.volume),
        "vol_tnrt": "0.00",
        "stck_fcam": "0",
        "lstn_stcn": "0",
        "cpfn": "0",
        "hts_avls": "0",
        "per": "0.00",
        "eps": "0.00",
        "pbr": "0.00",
        "itewhol_loan_rmnd_ratem": "0.00",
    }


def _kind(exchange: Exchange, ticker: str) -> str:
    return exchange.tape.names[ticker].kind


def _change(last: int, session: Session) -> dict[str, str]:
    sign = {session.upper: "1", session.lower: "4"}.get(last) or _sign(last - session.base)
    return {"prdy_vrss": str(last - session.base), "prdy_vrss_sign": sign}


def _sign(change: int) -> str:
    return "2" if change > 0 else "5" if change < 0 else "3"
