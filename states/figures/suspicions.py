"""Suspicions as a report: every rule with its count, base and rate; one of them shared out.

Nobody is judged: what stands out is worth a look.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from states.accounts.scopes import Scope as Key
from states.errors import BadInput
from states.figures.auditing import Audit
from states.figures.counting import named
from states.figures.periods import ZONE
from states.figures.reporting import Asked, Report, called
from states.figures.sheets import Both, Called, Column, Kind, Paper, Sheet
from states.ledger.statements import d
from states.suspicions import counting
from states.suspicions.counting import FEWEST, SELDOM, Found, Of
from states.suspicions.rule import Rule
from states.suspicions.scope import EVERYTHING, Scope

PAGE = 1_000  # cases read at once
COUNT = named("count", "Số trường hợp", "Cases")
BASE = named("base", "Trên tổng số", "Of")
RATE = named("rate", "Tỷ lệ", "Rate", kind=Kind.percent)
LOOK = Both(
    "Các trường hợp dưới đây đáng xem xét; không phải là kết luận về ai",
    "What is counted here is worth a look; it is no finding against anybody",
)


async def _make(asked: Asked) -> Paper:
    scope = _scope(asked)
    chosen, cases = asked.options.get("rule"), asked.options.get("cases", "no")
    if cases not in {"yes", "no"}:
        raise BadInput("cases is yes or no, not '{said}'", said=cases[:80])
    if chosen is None and cases == "yes":
        raise BadInput("say of which pattern the cases are to be listed: give the rule, too")
    if chosen is None:
        return asked.paper(REPORT, _rules(await counting.counted(asked.db, scope)))
    rule = counting.find(chosen)
    of = counting.whose(asked.options.get("of", Of.unit))
    told = _rules(await counting.counted(asked.db, scope, [rule]))
    sheets = [told, await _shares(asked, scope, rule, of)]
    if cases == "yes":
        sheets.append(_cases(asked, scope, rule))
    return asked.paper(REPORT, *sheets)


def _scope(asked: Asked) -> Scope:
    since, until = asked.period.since, asked.period.until
    if since is None:
        raise BadInput("suspicions are counted over a period: say where it begins, give --from")
    seen = EVERYTHING if asked.agencies is None else d.agency.in_(asked.agencies)
    return Scope(asked.book, since, until, asked.at, seen).check()


def _rules(found: list[tuple[Rule, Found]]) -> Sheet:
    columns = (
        named("rule", "Dấu hiệu", "Pattern", kind=Kind.called),
        COUNT, BASE, RATE,
    )  # fmt: skip
    rows = tuple(
        (
            Called(f"{rule.title.vi} / {rule.title.en}", rule.key),
            *(told.count, told.base, told.rate),
        )
        for rule, told in found
    )
    notes = (LOOK, *(note for rule, _ in found for note in _notes(rule)))
    title = Both("Dấu hiệu đáng xem xét", "Worth a look")
    return Sheet("rules", title, columns, rows, notes=notes)


def _notes(rule: Rule) -> tuple[Both, ...]:
    """What a rule counts, of what, and what it may be a sign of."""
    title, ground = rule.title, f" ({rule.ground})" if rule.ground else ""
    return (
        Both(
            f"{title.vi}: {rule.limits.vi}{ground}. Trên tổng số: {rule.base.vi}",
            f"{title.en}: {rule.limits.en}{ground}. Of: {rule.base.en}",
        ),
        Both(f"{title.vi}: {rule.suspects.vi}", f"{title.en}: {rule.suspects.en}"),
    )


HEADS = {
    Of.agency: Both("Cơ quan", "Agency"),
    Of.unit: Both("Đơn vị", "Unit"),
    Of.person: Both("Người", "Person"),
}


async def _shares(asked: Asked, scope: Scope, rule: Rule, of: Of) -> Sheet:
    rows = await counting.shares(asked.db, scope, rule, of)
    own = [] if of is Of.agency else [Column("agency", HEADS[Of.agency], Kind.called)]
    columns = (
        *own, Column(of, HEADS[of], Kind.called), COUNT, BASE, RATE,
        named("chance", "Khả năng ngẫu nhiên", "Chance", kind=Kind.percent),
        named("stands_out", "Đáng xem xét trước", "Worth a look first", kind=Kind.yes),
    )  # fmt: skip
    cells = tuple(
        [
            *([called(asked.book, "agency", row.agency)] if own else []),
            _named(asked, of, row.of),
            *(row.count, row.base, row.rate, 100 * row.chance, row.stands_out),
        ]
        for row in rows
    )
    count, base = sum(row.count for row in rows), sum(row.base for row in rows)
    blank = [None] * len(own)
    total = ["Tổng / Total", *blank, count, base, Found(count, base).rate, None, None]
    return Sheet("shares", rule.title, columns, cells, total, (LOOK, CHANCE), dims=len(own) + 1)


def _cases(asked: Asked, scope: Scope, rule: Rule) -> Sheet:
    """The dossiers behind the number, by the statement that counts them; the first come first."""
    columns = (
        named("code", "Hồ sơ", "Dossier", kind=Kind.code),
        named("at", "Lúc", "At", kind=Kind.moment),
        *(Column(of, HEADS[of], Kind.called) for of in (Of.unit, Of.person)),
        named("procedure", "Thủ tục", "Procedure", kind=Kind.code),
    )

    async def pages() -> AsyncIterator[list[Sequence[Any]]]:
        cursor, first = None, True
        while first or cursor is not None:
            page = await counting.opened(asked.db, scope, rule, cursor, PAGE)
            yield [_case(asked, row) for row in page.rows]
            cursor, first = page.next, False

    return Sheet("cases", Both("Từng trường hợp", "Each case"), columns, (), more=pages())


def _case(asked: Asked, row: Mapping[str, Any]) -> Sequence[Any]:
    of = (_named(asked, each, row[each]) for each in (Of.unit, Of.person))
    return [row["code"], row["at"].astimezone(ZONE), *of, row["procedure"]]


def _named(asked: Asked, of: Of, code: str | None) -> Called:
    if of is not Of.person:
        return called(asked.book, of, code)
    known = asked.book.organisation.by_id.get(code or "")
    return Called(known.name if known else code or "–", code)


CHANCE = Both(
    "Khả năng ngẫu nhiên: xác suất có từ chừng ấy trường hợp nếu ai cũng theo tỷ lệ chung (đuôi"
    f" phân phối nhị thức). Đáng xem xét trước: từ {FEWEST} trường hợp và dưới {SELDOM:.1%}",
    "Chance: how probable so many or more are, were everybody's rate that of all (binomial tail)."
    f" Worth a look first: {FEWEST} cases or more, and less than {SELDOM:.1%}",
)

REPORT = Report(
    name="suspicions",
    title=Both("Dấu hiệu đáng xem xét", "Worth a look"),
    source=Both("", ""),
    meaning=Both(
        "Mỗi dấu hiệu: số trường hợp, trên tổng số có thể có, tỷ lệ; theo đơn vị khi chọn một",
        "Each pattern: its cases, of how many that could show it, the rate; by unit when one is"
        " chosen",
    ),
    make=_make,
    audit=Audit(Key.breaches_read),
    options={
        "rule": Both(
            f"Chi tiết một dấu hiệu: {', '.join(counting.RULES)}",
            f"One pattern in detail: {', '.join(counting.RULES)}",
        ),
        "cases": Both(
            "yes: với rule, liệt kê từng hồ sơ", "yes: with a rule, list each dossier of it"
        ),
        "of": Both("Theo agency, unit hoặc person", "By agency, unit or person"),
    },
)
