"""Packages called pykrx that behave in every way a package can: each is written where a child process finds it."""

FRAME = '''
class Series:
    def __init__(self, values): self.iloc = values
class Frame:
    """As much of a table as the worker looks at."""
    def __init__(self, index, **columns): self.index, self.columns = index, columns
    def __getitem__(self, name): return Series(self.columns[name])
def table(rows, traded=True):
    names = ["시가", "고가", "저가", "종가", "거래량", "거래대금"][: 6 if traded else 5]
    return Frame([r[0] for r in rows], **{n: [r[1 + i] for r in rows] for i, n in enumerate(names)})
ROWS = {
    "KOSPI": [
        ("005930", 104200, 105800, 103900, 105300, 17204311, 1806000000000),
        ("000660", 571000, 580000, 566000, 577000, 2871544, 1648000000000),
        ("0126Z0", 12500, 12900, 12310, 12840, 310422, 3921000000),
        ("068270", 0, 0, 0, 181500, 0, 0),
        ("900140", 0, 0, 0, 0, 0, 0),
        ("005935", 82100, 83300, 81900, 82900, 1553420, 128400000000),
    ],
    "KOSDAQ": [
        ("247540", 131000, 134900, 129800, 133700, 1204431, 159700000000),
        ("196170", 458500, 466000, 451000, 463500, 402133, 184900000000),
    ],
}
'''
GOOD = "def get_market_ohlcv_by_ticker(day, market):\n    return table(ROWS[market])\n"
CALL = "def get_market_ohlcv_by_ticker(day, market):\n    "
# What stands in pykrx/stock.py, after FRAME.
STOCKS = {
    "good": GOOD,
    "prints": "import sys\nprint('KRX 로그인 실패: ID')\nprint('warning', file=sys.stderr)\n" + GOOD,
    "shouts": CALL + "import os\n    while True: os.write(1, b'x' * 1_000_000)\n",
    "hangs": CALL + "import time\n    time.sleep(600)\n",
    "hangs_on_import": "import time\ntime.sleep(600)\n",
    "ignores_signals": "import signal, time\nfor s in (15, 2, 1): signal.signal(s, signal.SIG_IGN)\ntime.sleep(600)\n",
    "forks": CALL
    + "import os, time\n    if os.fork() == 0:\n        time.sleep(600)\n    return table(ROWS[market])\n",
    "forks_and_hangs": CALL + "import os, time\n    os.fork()\n    time.sleep(600)\n",
    "raises_on_import": "raise ConnectionError('data.krx.co.kr cannot be reached, password=hush1234')\n",
    "no_dependency": "import a_library_that_nobody_has\n",
    "raises": CALL + "raise ValueError('시가')\n",
    "refused": CALL + "raise KeyError('시가')\n",
    "overflows": CALL + "raise OverflowError('Python integer 3000000000 out of bounds for int32')\n",
    "wraps": CALL
    + "rows = [list(r) for r in ROWS[market]]\n    rows[0][5] -= 2**32\n"
    + "    rows[1][5] = (5 * 10**9) % 2**32\n    rows[1][6] = 577000 * 5 * 10**9\n    return table(rows)\n",
    "exits": CALL + "import os\n    os._exit(7)\n",
    "system_exit": "raise SystemExit(0)\n",
    "crashes": CALL + "import os, signal\n    print('about to die')\n    os.kill(os.getpid(), signal.SIGSEGV)\n",
    "empty": CALL + "return table([])\n",
    "all_zero": CALL + "return table([(t, 0, 0, 0, 0, 0, 0) for t, *_ in ROWS[market]])\n",
    "none": CALL + "return None\n",
    "floats": CALL + "return table([(t, *map(float, v)) for t, *v in ROWS[market]])\n",
    "halves": CALL + "return table([(t, o + 0.5, *v) for t, o, *v in ROWS[market]])\n",
    "nans": CALL
    + "return table([(t, *([float('nan')] * 6)) if t == '0126Z0' else (t, *v) for t, *v in ROWS[market]])\n",
    "texts": CALL + "return table([(t, *map(str, v)) for t, *v in ROWS[market]])\n",
    "infinite": CALL + "return table([(t, float('inf'), *v) for t, o, *v in ROWS[market]])\n",
    "numbers_for_codes": CALL + "return table([(i, *v) for i, (t, *v) in enumerate(ROWS[market])])\n",
    "no_column": CALL + "t = table(ROWS[market])\n    del t.columns['종가']\n    return t\n",
    "without_value": CALL + "return table(ROWS[market], traded=False)\n",
    "chatter_for_answer": CALL
    + "import sys\n    open(sys.argv[1], 'w').write('{\"rows\": [[1]]}')\n    import os; os._exit(0)\n",
    "other_day": CALL
    + "import json, sys, os\n    v = {'board': market, 'day': '20200101', 'rows': [['005930'] + ['1'] * 6]}\n"
    + "    open(sys.argv[1], 'w').write(json.dumps(v)); os._exit(0)\n",
    "tells_its_environment": CALL
    + "import os\n    for n in sorted(os.environ): print('ENV', n)\n    return table(ROWS[market])\n",
    "logs_in": "import os\nif os.environ.get('KRX_ID'): raise SystemExit('logged in')\n" + GOOD,
}


def write(folder, mode):
    """A package for a mode; for `missing` an empty folder. The folder is what the child's path must begin with."""
    folder.mkdir(parents=True, exist_ok=True)
    if mode != "missing":
        package = folder / "pykrx"
        package.mkdir(exist_ok=True)
        (package / "__init__.py").write_text("")
        (package / "stock.py").write_text(FRAME + STOCKS[mode], encoding="utf-8")
    return folder
