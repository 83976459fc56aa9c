"""Values of a procedure in words, Vietnamese and English."""

from collections.abc import Iterable
from datetime import date
from typing import Any

from states.catalogue.organisation import Name
from states.catalogue.procedures import (
    END,
    Component,
    Consultation,
    Ground,
    Online,
    OtherTerm,
    Procedure,
    Route,
    Stage,
)
from states.clock import Kind, Policy, Term
from states.clock.words import POLICIES, UNITS, Words

WORDS: dict[str, Words] = {
    "counter": ("trực tiếp", "at the counter"),
    "online": ("trực tuyến", "online"),
    "post": ("qua dịch vụ bưu chính công ích", "by public post"),
    "plain": ("khu vực đồng bằng", "the plains"),
    "mountain": ("khu vực miền núi", "the mountains"),
    "island": ("khu vực hải đảo", "the islands"),
    "full": ("toàn trình", "wholly online"),
    "partial": ("một phần", "partly online"),
    "none": ("không cung cấp trực tuyến", "not online"),
    "province": ("cấp tỉnh", "the province"),
    "district": ("cấp huyện", "the district"),
    "commune": ("cấp xã", "the commune"),
    "officer": ("chuyên viên", "a case officer"),
    "leader": ("lãnh đạo", "a leader"),
}
OR = (" hoặc ", " or ")


def fill(template: Words, **parts: Words) -> Words:
    """A sentence or a part of one, in both languages."""
    vi, en = ({key: each[n] for key, each in parts.items()} for n in (0, 1))
    return template[0].format(**vi), template[1].format(**en)


def joined(parts: Iterable[Words], between: Words = (", ", ", ")) -> Words:
    """Several in a row."""
    vi, en = zip(*parts, strict=True)
    return between[0].join(vi), between[1].join(en)


def plain(value: object, _: Procedure | None = None) -> Words:
    """As it is written."""
    return str(value), str(value)


def quoted(value: object, _: Procedure | None = None) -> Words:
    """In the quotation marks of the language."""
    return f"“{value}”", f"'{value}'"


def word(value: str, _: Procedure | None = None) -> Words:
    """One of the words to choose from."""
    return WORDS[value]


def policy(value: Policy, _: Procedure | None = None) -> Words:
    """How a finish is compared with its due moment."""
    vi, en = POLICIES[value]
    return f"“{vi}”", f"'{en}'"


def day(value: date, _: Procedure | None = None) -> Words:
    """31/12/2025; 31 December 2025."""
    return f"{value:%d/%m/%Y}", f"{value.day} {value:%B %Y}"


def money(value: int, _: Procedure | None = None) -> Words:
    """600.000 đồng; 600,000 VND."""
    return f"{value:,} đồng".replace(",", "."), f"{value:,} VND"


def often(value: int, _: Procedure | None = None) -> Words:
    """How many times."""
    return f"{value} lần", "once" if value == 1 else f"{value} times"


def length(value: Term, _: Procedure | None = None) -> Words:
    """A term: 5 working days, 10 calendar days, the same day if received before 15:00, no term."""
    if value.kind is Kind.none:
        return "không quy định thời hạn", "no term"
    if value.kind is Kind.sameday:
        hour = "{:02}:{:02}".format(*divmod(value.cut_off, 60))
        return (
            f"trong ngày (nếu tiếp nhận trước {hour})",
            f"the same day (if received before {hour})",
        )
    number = f"{value.amount.normalize():f}"
    vi, en = UNITS[value.unit][number != "1"]
    calendar = "calendar " if value.kind is Kind.calendar else ""
    return f"{number.replace('.', ',')} {vi}", f"{number} {calendar}{en}"


def unit(value: str, _: Procedure | None = None) -> Words:
    """A unit, by its code."""
    return f"đơn vị {value}", f"unit {value}"


def named(value: Stage | Component, _: Procedure | None = None) -> Words:
    """By name and code."""
    return f"“{value.name.vi}” ({value.code})", f"'{value.name.en}' ({value.code})"


def both(value: Name, _: Procedure | None = None) -> Words:
    """A name in each language."""
    return f"“{value.vi}”", f"'{value.en}'"


def called(value: Stage | Component, _: Procedure | None = None) -> Words:
    """By name."""
    return both(value.name)


def paper(value: str, whole: Procedure) -> Words:
    """What a stage needs or produces: a component of the dossier by its name, or a document."""
    return next((named(each) for each in whole.components if each.code == value), quoted(value))


def ways(value: tuple[str, ...], whole: Procedure) -> Words:
    """Stages by their codes, and the result."""
    if not value:
        return "không bước nào", "no stage"
    names = {each.code: fill(("bước {it}", "{it}"), it=called(each)) for each in whole.stages}
    names[END] = ("khâu trả kết quả", "the result")
    return joined((names.get(each) or quoted(each) for each in value), OR)


def ground(value: Ground, _: Procedure | None = None) -> Words:
    """The article and the document."""
    article = f"{value.article} " if value.article else ""
    after = f", {value.article}" if value.article else ""
    return f"“{article}{value.document}”", f"'{value.document}{after}'"


def dossiers(value: OtherTerm, _: Procedure | None = None) -> Words:
    """Those that have another term."""
    parts: list[Words] = [("hồ sơ", "dossiers")]
    if value.channel:
        parts.append(fill(("nộp {way}", "that come {way}"), way=WORDS[value.channel]))
    if value.region:
        parts.append(fill(("ở {region}", "from {region}"), region=WORDS[value.region]))
    return joined(parts if len(parts) > 1 else [("mọi hồ sơ", "all dossiers")], (" ", " "))


def routed(value: Route, _: Procedure | None = None) -> Words:
    """Which dossiers go where."""
    conditions: tuple[tuple[Words, tuple[Any, ...], Any], ...] = (
        (("tiếp nhận tại {it}", "received at {it}"), value.received_at, plain),
        (("từ địa bàn {it}", "from {it}"), value.place, plain),
        (("thuộc lĩnh vực {it}", "in the field {it}"), value.field, plain),
        (("nộp {it}", "that come {it}"), value.channel, word),
    )
    which = [fill(says, it=joined(map(say, them), OR)) for says, them, say in conditions if them]
    which = [("hồ sơ", "dossiers"), *which] if which else [("mọi hồ sơ", "all dossiers")]
    where = [unit(value.unit) if value.unit else ("đơn vị của bước", "the stage's unit")]
    if value.person:
        where.append((f"người xử lý {value.person}", f"person {value.person}"))
    if value.least_loaded:
        where.append(("người đang giữ ít hồ sơ nhất", "whoever has least in hand"))
    return fill(
        ("{which} giao cho {where}", "{which} go to {where}"),
        which=joined(which, (" ", " ")),
        where=joined(where),
    )


def originals(value: int, _: Procedure | None = None) -> Words:
    """In how many originals a paper is handed in."""
    return f"{value} bản chính", f"{value or 'no'} original{'s' * (value != 1)}"


def copies(value: int, _: Procedure | None = None) -> Words:
    """In how many copies."""
    return f"{value} bản sao", f"{value or 'no'} {'copy' if value == 1 else 'copies'}"


# What is said of a thing that is new --------------------------------------------------------


def component(value: Component, _: Procedure | None = None) -> Words:
    """What the citizen must know of a paper."""
    parts = [
        ("bắt buộc", "required") if value.required else ("không bắt buộc", "not required"),
        originals(value.originals),
        copies(value.copies),
    ]
    if value.reusable:
        parts.append(("lấy từ dữ liệu đã có", "taken from what is held already"))
    if not value.digitised:
        parts.append(("không số hóa", "not scanned"))
    return joined(parts)


def stage(value: Stage, _: Procedure | None = None) -> Words:
    """Where, by whom and how long."""
    where = (
        unit(value.unit) if value.unit else ("theo quy tắc phân công", "by rules of who gets it")
    )
    return joined([where, word(value.role), length(value.term)])


def consultation(value: Consultation, _: Procedure | None = None) -> Words:
    """How long, and about what."""
    parts = [length(value.term)]
    if value.about:
        parts.append(fill(("về {it}", "about {it}"), it=both(value.about)))
    return joined(parts)


def online(value: Online, _: Procedure | None = None) -> Words:
    """How much is online, and why not all of it."""
    parts = [word(value.level)]
    if value.reason:
        parts.append(fill(("lý do {it}", "because {it}"), it=both(value.reason)))
    return joined(parts)
