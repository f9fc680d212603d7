"""The practice server's front door: which keys it knows, which tokens it gave, and how often it may be asked."""

import base64
import hashlib
import json
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from quantassay.domain.trading.clock import Clock
from quantassay.kis import rehearsal

# A second pair, as of the real server: some clients read prices there and trade on the virtual one.
REAL_KEY = "PRACTICE-ONLY-NO-REAL-KEY-OF-ANY-ONE"
REAL_SECRET = "practice-only-no-real-secret-at-all-" * 5
_KST = ZoneInfo("Asia/Seoul")


@dataclass(frozen=True, slots=True)
class Limits:
    """What the gateway allows; 0 requests a second, or a wait of 0, is no limit."""

    requests_per_s: int = 1
    token_wait_s: int = 60
    same_token_h: int = 6
    token_life_h: int = 24


NO_LIMITS = Limits(requests_per_s=0, token_wait_s=0)


@dataclass(frozen=True, slots=True)
class Fault:
    """Why the gateway does not let a request through: HTTP status, code, words."""

    status: int
    code: str
    text: str


BAD_KEY = Fault(403, "EGW00103", "유효하지 않은 AppKey입니다.")
BAD_SECRET = Fault(403, "EGW00105", "유효하지 않은 AppSecret입니다.")
TOO_SOON = Fault(403, "EGW00133", "접근토큰 발급 잠시 후 다시 시도하세요(1분당 1회)")
NO_GRANT = Fault(403, "EGW00116", "유효하지 않은 grant_type입니다.")
NO_BEARER = Fault(500, "EGW00205", "credentials_type이 유효하지 않습니다.(Bearer)")
BAD_TOKEN = Fault(500, "EGW00121", "유효하지 않은 token 입니다.")
OLD_TOKEN = Fault(500, "EGW00123", "기간이 만료된 token 입니다.")
TOO_MANY = Fault(500, "EGW00201", "초당 거래건수를 초과하였습니다.")
LEDGER_TOO_MANY = Fault(500, "EGW00215", "원장에서 허용 가능한 초당 거래건수를 초과하였습니다.")
BAD_CUSTOMER = Fault(500, "EGW00208", "고객식별이 유효하지 않습니다.")
CORPORATE = Fault(500, "EGW00210", "모의투자에서 법인은 서비스가 제공되지 않습니다.")
NOT_VIRTUAL = Fault(500, "EGW02006", "모의투자 TR 이 아닙니다.")
REAL_ON_VIRTUAL = Fault(500, "EGW02007", "해당 앱키는 모의투자용 앱키가 아닙니다.")
BAD_TYPE = Fault(500, "EGW00132", "content-type이 유효하지 않습니다.")
CHUNKED = Fault(500, "EGW00202", "GW라우팅 중 오류가 발생했습니다.")


@dataclass(slots=True)
class _Key:
    secret: str
    is_real: bool
    token: str = ""
    issued: datetime | None = None
    expires: datetime | None = None
    asked: datetime | None = None
    revoked: bool = False
    served: deque[datetime] = field(default_factory=deque)


class Gateway:
    """Keys, tokens and the pace of one practice server.

    `wall` is a clock that clients go by where the server's own shows another time: no token looks expired to them.
    """

    def __init__(self, clock: Clock, limits: Limits | None = None, wall: Clock | None = None) -> None:
        self.clock = clock
        self.limits = limits or Limits()
        self._wall = wall
        self._issued = 0
        self._keys = {
            rehearsal.APP_KEY: _Key(rehearsal.APP_SECRET, is_real=False),
            REAL_KEY: _Key(REAL_SECRET, is_real=True),
        }

    def begin(self, clock: Clock) -> None:
        """Go by this clock from now on, as if nothing had been asked yet; tokens that were given stay good."""
        self.clock = clock
        for key in self._keys.values():
            key.asked = None
            key.served.clear()

    def issue(self, body: Mapping[str, object]) -> dict[str, object] | Fault:
        """A token for a pair of keys: the one it has if that is young, else a new one, and not twice in a minute."""
        key = self._pair(body.get("appkey"), body.get("appsecret"))
        if isinstance(key, Fault):
            return key
        if body.get("grant_type") != "client_credentials":
            return NO_GRANT
        now = self.clock.now()
        if key.asked is not None and now - key.asked < timedelta(seconds=self.limits.token_wait_s):
            return TOO_SOON
        key.asked = now
        same = timedelta(hours=self.limits.same_token_h)
        is_over = key.expires is None or now >= key.expires
        if key.revoked or is_over or key.issued is None or now - key.issued >= same:
            self._new_token(key, now, str(body["appkey"]))
        late = max(now, self._wall.now()) - now if self._wall else timedelta()
        expires = (key.expires or now) + late
        return {
            "access_token": key.token,
            "access_token_token_expired": f"{expires.astimezone(_KST):%Y-%m-%d %H:%M:%S}",
            "token_type": "Bearer",
            "expires_in": int(((key.expires or now) - now).total_seconds()),
        }

    def _new_token(self, key: _Key, now: datetime, name: str) -> None:
        self._issued += 1
        head = _sealed({"typ": "JWT", "alg": "HS512"})
        body = _sealed({"sub": "token", "jti": name, "nr": self._issued})
        key.token = f"{head}.{body}.{hashlib.sha256(body.encode()).hexdigest()}"
        key.issued, key.expires = now, now + timedelta(hours=self.limits.token_life_h)
        key.revoked = False

    @property
    def tokens_issued(self) -> int:
        """How many different tokens were given out."""
        return self._issued

    def revoke(self, body: Mapping[str, object]) -> dict[str, object] | Fault:
        """Take a token back for everybody who uses the pair of keys."""
        key = self._pair(body.get("appkey"), body.get("appsecret"))
        if isinstance(key, Fault):
            return key
        if body.get("token") != key.token:
            return BAD_TOKEN
        key.revoked = True
        return {"code": 200, "message": "접근토큰 폐기에 성공하였습니다"}

    def revoke_all(self) -> None:
        """Take every token back, as maintenance does."""
        for key in self._keys.values():
            key.revoked = True

    def expire_all(self) -> None:
        """Let every token be past its time."""
        for key in self._keys.values():
            key.expires = self.clock.now()

    def admit(self, headers: Mapping[str, str]) -> Fault | None:
        """Whether a request comes from somebody with keys and a token, and not too soon after others."""
        key = self._pair(headers.get("appkey"), headers.get("appsecret"))
        if isinstance(key, Fault):
            return Fault(500, key.code, key.text)
        if refused := self._token_fault(key, headers.get("authorization", "")):
            return refused
        customer = headers.get("custtype", "P")
        if customer != "P":
            return CORPORATE if customer == "B" else BAD_CUSTOMER
        return self._pace(key)

    def is_real(self, headers: Mapping[str, str]) -> bool:
        """Whether the request bears the keys of the real server."""
        key = self._keys.get(headers.get("appkey", ""))
        return key is not None and key.is_real

    def _pair(self, name: object, secret: object) -> _Key | Fault:
        key = self._keys.get(str(name))
        if key is None:
            return BAD_KEY
        return key if secret == key.secret else BAD_SECRET

    def _token_fault(self, key: _Key, given: str) -> Fault | None:
        if not given.startswith("Bearer "):
            return NO_BEARER
        if key.revoked or given.removeprefix("Bearer ") != key.token or key.expires is None:
            return BAD_TOKEN
        return OLD_TOKEN if self.clock.now() >= key.expires else None

    def _pace(self, key: _Key) -> Fault | None:
        """At most so many requests in any second; one that was refused for it does not count."""
        most = self.limits.requests_per_s
        if not most:
            return None
        now = self.clock.now()
        while key.served and now - key.served[0] >= timedelta(seconds=1):
            key.served.popleft()
        if len(key.served) >= most:
            return TOO_MANY
        key.served.append(now)
        return None


def _sealed(value: Mapping[str, object]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")
