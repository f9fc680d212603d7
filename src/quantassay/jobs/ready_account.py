"""Rows of `assay ready` on the account: how old what we know of it is, and whether the broker says the same."""

from collections.abc import Sequence
from datetime import datetime

from quantassay.domain.market import sessions
from quantassay.domain.trading.book import Certificate
from quantassay.domain.trading.orders import LIVE, State
from quantassay.jobs import market
from quantassay.jobs.ready_scene import Row, Scene, no, ok, warn

READ_IT = "`assay reconcile`"
_ONLINE = "leave --offline out to ask it"
_SHOWN = 5


def account(scene: Scene) -> Row:
    """How old the holdings and the money are that plans are built on, and who said so."""
    one = scene.account
    told = f"{one['id']} ({one['environment']}), seen {one['as_of']}"
    if one["environment"] == market.SAMPLE_ENVIRONMENT:
        return ok("account", f"{told}: the invented one of spec/20_accounts.yaml")
    read = market.reading_of(scene.inputs, one)
    if read is None:
        source = f"{told} by spec/20_accounts.yaml: its broker was never asked"
        if one["environment"] == "paper":
            return warn("account", source, READ_IT)
        return no("account", source, READ_IT)
    wanted = sessions.last_complete(scene.calendar, scene.now)
    close = sessions.hours(scene.calendar, wanted).close
    told = f"{told} by its broker (event {read.event.seq} of the journal)"
    if datetime.fromisoformat(one["as_of"]) < close:
        return no("account", f"{told}, before the session of {wanted} was over", READ_IT)
    return ok("account", told)


def unknown(scene: Scene) -> Row:
    """Whether any order of ours may be at the broker without anybody knowing how it stands."""
    orders = scene.orders
    lost = [name for name, one in orders.items() if one.state in (State.UNKNOWN, State.SENT)]
    if lost:
        do = f"`assay orders show {lost[0]}`, then `assay orders resolve {lost[0]}`"
        return no("orders", f"nobody knows whether {_listed(lost)} reached the broker; the names are locked", do)
    standing = [name for name, one in orders.items() if one.state in LIVE]
    if standing:
        return warn("orders", f"{_listed(standing)} stands at the broker", "see `assay orders list`")
    return ok("orders", f"{len(orders)} so far, and each has ended" if orders else "none was ever sent")


def breaks(scene: Scene) -> Row:
    """Whether the journal holds a break."""
    mine = [one for (owner, _), one in scene.desk.breaks.items() if owner == scene.account_id]
    if mine:
        told = "; ".join(f"{one.ticker}: we count {one.ours}, the broker {one.theirs}" for one in mine)
        do = f"{READ_IT}; once you know why, `assay reconcile --accept {mine[0].ticker} --why TEXT`"
        return no("breaks", f"{told}; the names are locked", do)
    return ok("breaks", "the journal holds none")


def mode(scene: Scene) -> Row:
    """Whether the broker, its server, the account and the key belong together, and to this account of the desk."""
    certificate = scene.broker.certificate
    told = _words(certificate)
    if certificate.environment != scene.account["environment"]:
        wanted = f"the desk's account is {scene.account['environment']}"
        return no("mode", f"{told}; {wanted}", "put the account right in spec/20_accounts.yaml")
    newest = scene.desk.books.get(scene.account_id)
    before = newest.body["certificate"].get("account") if newest is not None else None
    if before not in (None, certificate.account):
        own = "give the other account a name of its own in spec/20_accounts.yaml"
        return no("mode", f"{told}; the journal knows it as account {before}", own)
    return ok("mode", told)


def _words(one: Certificate) -> str:
    if not one.transactions:
        return f"{one.environment}: fills are worked out here, no server is asked"
    return f"{one.environment}: {one.host}, transactions {one.transactions}..., account {one.account}, key {one.key}"


def broker(scene: Scene) -> Row:
    """Whether the broker answers, and holds what we count; read now."""
    if scene.offline:
        return warn("broker", "it was not asked", _ONLINE)
    found = scene.outcome
    if found is None or found.first:
        return warn("broker", "it answers, and its account was never held against ours", READ_IT)
    if found.breaks:
        told = "; ".join(f"{ticker}: {why}" for ticker, why in sorted(found.breaks.items()))
        return no("broker", told, f"{READ_IT} writes it down and locks the names")
    if found.unfinished:
        return warn("broker", f"an order of ours leaves {_listed(found.unfinished)} open", READ_IT)
    if found.externals:
        names = sorted({one.ticker for one in found.externals})
        return warn("broker", f"somebody else traded {_listed(names)}", f"{READ_IT} takes it over, then `assay run`")
    at = found.book.at.isoformat(timespec="seconds")
    return ok("broker", f"{len(found.names)} names held, as we count them; cash {found.book.cash:,} won; read {at}")


def trading(scene: Scene) -> Row:
    """Whether the broker's market does what the calendar says."""
    if scene.offline:
        return warn("market", "the broker was not asked", _ONLINE)
    if sessions.state(scene.calendar, scene.now) is not sessions.State.INTRADAY:
        return ok("market", "by the calendar the session is not open, so the broker is asked once it is")
    state = scene.broker.market_state(_asked_about(scene), scene.day)
    if state.open is False:
        return no("market", f"the calendar says open, and the broker: {state.why}", "find out which of them is right")
    if state.open is None:
        return warn("market", f"the broker gives no sign: {state.why}", "see whether it trades before you send")
    return ok("market", f"open, the broker says: {state.why}")


def _asked_about(scene: Scene) -> str:
    """A name to ask by: one that is held, else the first that there is."""
    listed = [*scene.account["holdings"], *scene.inputs.value("universe")["names"]]
    return str(listed[0]["ticker"])


def armed(scene: Scene) -> Row:
    """Whether a person has said that orders may be sent for this account."""
    one = scene.desk.armed.get(scene.account_id)
    if one is None:
        do = f"`assay trade arm {scene.account_id} --why TEXT`"
        return no("armed", f"nobody has said that orders may be sent for {scene.account_id}", do)
    return ok("armed", f"by {one.by} at {one.at.isoformat(timespec='seconds')}: {one.why}")


def halt(scene: Scene) -> Row:
    """Whether the kill switch is thrown."""
    one = scene.desk.halt
    if one is None:
        return ok("halt", "the kill switch is not thrown")
    what = "nothing is sent" if one.level == "all" else "no buy is sent"
    told = f"{what}: halted by {one.by} at {one.at.isoformat(timespec='seconds')}: {one.why}"
    return no("halt", told, "`assay resume --why TEXT`, once it is right to")


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
