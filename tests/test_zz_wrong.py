import copy, json, os
from collections import Counter
from contextlib import AsyncExitStack
import pytest
from asking import CONTROL, CALLERS, Desk, ADMINISTRATOR
from permitted import ROUTES, About
from two_agencies import EDUCATION, SCIENCE, World
from test_permissions import addresses, complete, desk
from urllib.parse import quote

NEST = {}
for _ in range(60): NEST = {"a": NEST}
TEXTS = ["", " ", "\0", "a\0b", "\ud800", "\u202eabc", "e\u0301", "x"*250, "x"*3000, "../../etc/passwd", "%s%n", "'; DROP--",
 "\r\nX: y", "１２３", "٣", "\ufeff", "\U0010ffff", "\uffff", "0001-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00","9999-12-31T23:59:59.999999+00:00",
 "9999-12-31", "0001-01-01", "2024-02-30", "1900-01-01", "2200-12-31", "2024-06-30T23:59:60Z", "-1", "0", "1e400", "NaN", "inf", str(10**30), str(2**31), str(2**63), str(2**63-1), "1.5", "true", "null", "*", "'", '"', "\\", "%", "_", "Y3Vyc29y", "WzEsMl0", "e30", "W10"]
OTHERS = [10**30, -10**30, 2**31, 2**63, 2**63-1, 1.5, -1, 0, True, None, [], {}, [[]], {"a": 1}, NEST, 1e308, [None], ["x"]*2000, {"\0": 1}]

def leaves(x, at=()):
    if isinstance(x, dict):
        for k, v in x.items():
            yield at + (k,)
            yield from leaves(v, at + (k,))
    elif isinstance(x, list):
        for k, v in enumerate(x):
            yield at + (k,)
            yield from leaves(v, at + (k,))

def put(x, at, v):
    x = copy.deepcopy(x)
    y = x
    for k in at[:-1]: y = y[k]
    y[at[-1]] = v
    return x

HEADS = {"Hoso-Role": TEXTS, "Hoso-For": TEXTS, "If-Match": TEXTS + ['"1"', 'W/"1"', '"999999999"', '"1", "2"'], "Idempotency-Key": TEXTS, "Prefer": ["return=minimal", "x"*300, "return=minimal;;,"],
 "Accept-Language": ["x"*300, "en;q=nan", "vi;q=inf, en;q=1e999", "en;q=", ";;,,"], "Range": ["bytes=0-0", "bytes=-0", "bytes=9-1", "bytes=-99999999999999999999", "bytes=0-1,3-4", "x"],
 "If-None-Match": ["*", '"x"'], "If-Range": ["x"], "Last-Event-ID": TEXTS + ["1-1-1", "-1-1-1", "9999999999999999999-1-1", "1-1-99999999999999999999"], "X-Request-Id": ["\u00e9", "a b"],
 "Content-Type": ["application/json; charset=utf-16", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "multipart/form-data; boundary=x", "application/xml", "", "é", "application/json;"*50, "application/vnd.api+json"],
 "Content-Encoding": ["gzip"], "X-HTTP-Method-Override": ["DELETE"], "Cookie": ["hoso-oidc=x", "a=b;"*500], "Host": ["evil.example"], "Authorization": ["Bearer " + "x"*5000, "Bearer a b"]}

async def test_wrong(desk, addresses):
    house = desk.app.state.house
    world = World(desk.engine, addresses["postgres"], house.settings.data, house.key("citizen"))
    await world.common()
    for side in (SCIENCE, EDUCATION): await world.build(side)
    await world.freeze()
    doc = desk.app.openapi()["paths"]
    bad = []; fine = []; n = 0
    out = open("/tmp/wrong.txt", "w", errors="backslashreplace")
    class L(list):
        def __init__(self, w): self.w = w
        def append(self, x): print(self.w, *x, file=out, flush=True)
    bad, fine = L("BAD"), L("fine")
    only = os.environ.get("ONLY", "")
    def httpv(v): return v.encode("utf-8", "surrogatepass")
    async def go(route, ask, where, value, path=None, query=None, body=..., headers=None, content=None):
        nonlocal n
        n += 1
        method, _, template = route.partition(" ")
        path = {k: quote(str(v).encode("utf-8", "surrogatepass"), safe="") for k, v in (path or ask.path).items()}
        at = template.format_map(path)
        q = query if query is not None else dict(ask.query)
        qs = "&".join(f"{quote(k)}={quote(str(v).encode('utf-8','surrogatepass'), safe='')}" for k, v in q.items())
        more = {}
        b = ask.body if body is ... else body
        h = dict(ask.headers)
        if content is not None: more["content"] = content; h.setdefault("Content-Type", "application/json")
        elif b is not None: more["content"] = json.dumps(b).encode(); h["Content-Type"] = "application/json"
        elif ask.content is not None: more["content"] = ask.content; h["Content-Type"] = "application/octet-stream"
        who = ADMINISTRATOR if "/accounts" in route else CONTROL
        if route.endswith("events/{event}") or route == "POST /v1/dossiers": who = CALLERS[1]
        raw = []
        for k, v in (who.said | h | (headers or {})).items(): raw.append((k.encode(), httpv(v) if isinstance(v, str) else v))
        desk.transport.client = (f"198.51.{n//250%250}.{n%250}", 1)
        async with desk.undone():
            house.latest = desk.app.state.house.latest
            try:
                if "Hoso-Person" in who.said and headers and "Authorization" in headers: raw = [x for x in raw if x[0] != b"Hoso-Person"]
                got = await desk.client.request(method, at + ("?" + qs if qs else ""), headers=raw, **more)
            except Exception as e:
                bad.append((route, where, repr(value)[:60], type(e).__name__, str(e)[:200])); return
        ok = str(got.status_code) in doc[template][method.lower()]["responses"]
        if got.status_code >= 500 or not ok: bad.append((route, where, repr(value)[:60], got.status_code, got.text[:300]))
        elif got.status_code < 400 : fine.append((route, where, repr(value)[:60], got.status_code))
    for route, entry in ROUTES.items():
        if only and only not in route: continue
        ask = entry.asks[0](SCIENCE)
        for name in ask.path:
            for v in TEXTS: await go(route, ask, "path."+name, v, path=dict(ask.path)|{name: v or "%"})
        op = doc[route.split(" ")[1]][route.split(" ")[0].lower()]
        for p in op.get("parameters", []):
            if p["in"] == "query":
                for v in TEXTS:
                    await go(route, ask, "query."+p["name"], v, query=dict(ask.query)|{p["name"]: v})
        if ask.body is not None:
            for at in leaves(ask.body):
                for v in TEXTS + OTHERS: await go(route, ask, "body."+".".join(map(str, at)), v, body=put(ask.body, at, v))
            for name in ("surprise", "\0", "\ud800"): await go(route, ask, "body+", name, body=dict(ask.body) | {name: 1})
            for v in OTHERS + TEXTS[:5]: await go(route, ask, "body", v, body=v)
            for c in (b"", b"{", b'{"a":1,"a":2}', b"NaN", b"1e999", b"1"*9999, b"["*100000, b'\xff', b'\xef\xbb\xbf{}', '{"a":"\ud800"}'.encode("utf-8","surrogatepass"), "{}".encode("utf-16")):
                await go(route, ask, "raw", c, content=c)
        for name, values in HEADS.items():
            for v in values: await go(route, ask, "header."+name, v, headers={name: v})
    print(n, "asked", file=out, flush=True)
