"""Faults seeded into the sample's bundles, each with the place where it must be found.

`mark` is a piece of the faulty text that is there once: it ends on the line of the finding. `also`
are the fields of other findings that the same fault leads to; there may be none beside them.
"""

from functools import partial
from typing import NamedTuple

BRANCHED = "9.000301"  # stages that branch, rules of routing, consultations, other terms
PERMIT = "2.000205"  # 5wd in three stages
IN_DAYS = "9.000101"  # 15cd
COPY = "1.005092"  # sameday@15:00
HALF = "2.000134"  # 0.5wd
OPEN = "3.000181"  # no term


class Fault(NamedTuple):
    file: str
    edits: tuple[tuple[str, str], ...]
    mark: str
    field: str | None
    why: str
    severity: str = "error"
    also: tuple[str, ...] = ()
    around: str = "sample"


def edit(file, old, new, mark, field, why, severity="error", also=(), around="sample"):
    """One piece of text replaced by another."""
    return Fault(file, ((old, new),), mark, field, why, severity, also, around)


branched = partial(edit, BRANCHED)


def as_it_is(file, around, mark, field, why, severity="error", also=()):
    """Nothing is wrong with the bundle but what is around it."""
    return Fault(file, (), mark, field, why, severity, also, around)


WARNING = "warning"
CHECK = "next: [tham-dinh, xem-xet]"
REVIEW = "next: [ky-duyet, end]"
SIGNED = "    produces: [Kết quả giải quyết]\n    returns: [xem-xet]"
FIRST = "role: officer\n    term: 1wd"  # of the branched one, as far as its term
REQUIRED = "is required and is not there"

SYNTAX = [
    branched("  eligible: true", "\teligible: true", "\teligible", None, "tab"),
    branched("fee: 0", "fees: 0", "fees: 0", "fees", "not a key known", also=("fee",)),
    branched("fee: 0", "fee: 0\nfee: 1", "fee: 1", "fee", "twice: first on line"),
    branched("fee: 0", "fee: &a 0", "&a", "fee", "anchor"),
    branched("fee: 0", "fee: *a", "*a", "fee", "alias"),
    branched("fee: 0", "fee: !!int 0", "!!int", "fee", "tag"),
    branched("fee: 0", "<<: {fee: 0}", "<<", "<<", "not a key", also=("fee",)),
    branched("fee: 0", "? [fee]\n: 0", "? [", None, "plain word"),
    branched("fee: 0", "fee: [0", "figures_verified:", None, "not YAML"),
    branched("fee: 0", 'fee: "\\0"', "fee:", "fee", "control character"),
    branched("fee: 0", "fee: 0\n---\nfee: 1", "---", None, "second document"),
    branched("fee: 0", f"fee: {'[' * 30}", "[" * 30, "fee.0.0", "nested"),
    branched("fee: 0", "fee: 0.5", "fee: 0.5", "fee", "whole number"),
    branched("fee: 0", "fee: -1", "fee: -1", "fee", "at least 0"),
    branched("\nterm: 15wd", "\nterm: 15 days", "15 days", "term", "not a term"),
    branched("\nterm: 15wd", "\nterm: 15d", "15d", "term", "not a term"),
    branched("\nterm: 15wd", "\nterm: 1.5cd", "1.5cd", "term", "counted whole"),
    branched("term: 7wd", "term: 0wd", "0wd", "stages.1.term", "0wd is not possible"),
    branched("term: 18wd", "term: 18", "term: 18", "terms.0.term", "not a term"),
    branched("policy: day\n", "", "code: 9.000301", "policy", REQUIRED),
    branched("    accept: manual\n", "", "code: kiem-tra", "stages.0.accept", REQUIRED),
    branched("  times: 1\n  max", "  max", "extension:", "extension.times", REQUIRED),
    branched("times: 1\n  max", "times: 21\n  max", "times: 21", "extension.times", "20"),
    branched("version: 1", 'version: "1"', "version:", "version", "whole number"),
    branched("2023-01-01", "2023-02-30", "2023-02-30", "valid_from", "date such as"),
    branched("policy: day", "policy: mild", "mild", "policy", "must be one of"),
    branched(FIRST, "role: citizen\n    term: 1wd", "citizen", "stages.0.role", "officer"),
    branched("required: false", "required: có", "có", "components.2.required", "true or"),
    branched("code: 9.000301", "code: 9.301", "code: 9.301", "code", "pattern"),
    branched("come: [counter, online, post]", "come: counter", "come: counter",
         "channels.come", "must be a list"),
    branched("post:\n  eligible: true", "post: true", "post: true", "post", "must be a map"),
    branched("come: [counter,", "come: [phone,", "[phone", "channels.come.0", "'counter'"),
    branched('transfer_by: "15:00"', "transfer_by: 3pm", "3pm", "transfer_by", "pattern"),
]  # fmt: skip

STRUCTURE = [
    branched("agency: H42.03", "agency: H42.77", "H42.77", "agency", "no agency H42.77",
         also=("code",)),
    branched("field: khoa-hoc", "field: tai-chinh", "field: tai-chinh", "field",
         "does not answer", also=("code", "stages.0.routes.0.field.0")),
    branched("  go: [counter,", "  go: [online,", "go: [online, online", "channels.go.1",
         "online is there twice"),
    branched("  go: [counter, online, post]", "  go: []", "go: []", "channels.go",
         "at least one channel"),
    branched("eligible: true", "eligible: false", "eligible: false", "post.eligible",
         "if a channel is post", also=("post",)),
    edit(PERMIT, "code: xem-xet", "code: tham-dinh", "accept: manual\n  - code: tham-dinh",
         "stages.1", "tham-dinh is there twice"),
    branched("next: [xem-xet]", "next: [xem-xat]", "xem-xat", "stages.1.next.0",
         "no stage xem-xat"),
    branched("next: [xem-xet]", "next: []", "next: []", "stages.1.next", "or end"),
    branched("returns: [xem-xet]", "returns: [end]", "[end]", "stages.3.returns.0",
         "no stage end"),
    edit(PERMIT, "term: 3wd", "term: 4wd", "stages:", "stages", "2640 working minutes together"),
    edit(IN_DAYS, "term: 9cd", "term: 12cd", "stages:", "stages", "17 calendar days together"),
    edit(PERMIT, "term: 3wd", "term: 3cd", "3cd", "stages.0.term", "5wd's kind"),
    edit(PERMIT, "term: 3wd", "term: none", "none", "stages.0.term", "must have a length"),
    edit(PERMIT, "    unit: H42.05.01\n", "", "code: tham-dinh", "stages.0", "must name a unit"),
    edit(PERMIT, "unit: H42.05.01", "unit: H42.05.77", "H42.05.77", "stages.0.unit", "no unit"),
    edit(PERMIT, "unit: H42.05.01", "unit: H42.05.09", "role: officer", "stages.0.role",
         "nobody at H42.05.09 is officer"),
    branched("p-sci-officer-11", "p-nobody", "p-nobody", "stages.0.routes.0.person",
         "no person p-nobody"),
    branched("H42.07.02", "H42.07.77", "H42.07.77", "stages.1.consults.0.unit", "no unit"),
    branched("code: mau-vat", "code: don", "reusable: true\n  - code: don", "components.2",
         "don is there twice"),
    branched("lapse: 30cd", "lapse: none", "lapse: none", "supplement.lapse", "a length"),
    branched("  max: 5wd\n", "", "extension:", "extension", "must have 'max'"),
    branched("version: 1\n", "version: 1\nvalid_until: 2022-12-31\n", "2022-12-31",
         "valid_until", "before 'valid_from'"),
    branched("\n  - document: Luật Chuyển giao công nghệ 07/2017/QH14\n    verified: false",
         " []", "grounds: []", "grounds", "at least one legal ground"),
]  # fmt: skip

WAYS = [
    branched(REVIEW, "next: [end]", "- code: ky-duyet", "stages.3", "no way leads to"),
    branched(CHECK, "next: [xem-xet]", "- code: tham-dinh", "stages.1",
         "only by being sent back", WARNING),
    branched(REVIEW, "next: [kiem-tra]", "[kiem-tra]", "stages.2.next.0",
         "nowhere to the result", also=("stages.3",)),
    branched("next: [xem-xet]", "next: [tham-dinh]", "next: [tham-dinh]", "stages.1.next.0",
         "tham-dinh leads back to tham-dinh"),
    branched(SIGNED, f"{SIGNED}\n    next: [end, xem-xet]", "[end, xem-xet]",
         "stages.3.next.1", "where the dossier was before", WARNING),
    branched("next: [xem-xet]", "next: [xem-xet, tham-dinh]", "[xem-xet, tham-dinh]",
         "stages.1.next.1", "where the dossier was before", WARNING),
    Fault(OPEN, (("term: 2wd", "term: none"), ("leader\n    term: 1wd", "leader\n    term: none")),
          "officer\n    term: none", "stages.0.term", "tham-dinh, xem-xet without any clock"),
    Fault(OPEN, (("leader\n    term: 1wd", "leader\n    term: none"),
                 ("H42.02.09\n    role: leader\n    term: 1wd",
                  "H42.02.09\n    role: leader\n    term: none")),
          "Review by the division}\n    unit: H42.02.01\n    role: leader\n    term: none",
          "stages.1.term", "xem-xet, ky-duyet without any clock"),
    branched("returns: [xem-xet]", "returns: [ky-duyet]", "returns: [ky-duyet]",
         "stages.3.returns.0", "back to itself"),
    branched("returns: [kiem-tra, tham-dinh]", "returns: [kiem-tra, ky-duyet]",
         "[kiem-tra, ky-duyet]", "stages.2.returns.1", "comes after", WARNING),
    branched(CHECK, f"returns: [xem-xet]\n    {CHECK}", "needs: [don]\n    returns: [xem-xet]",
         "stages.0.returns", "nothing is sent back from the first", WARNING),
    branched(CHECK, "next: [tham-dinh, tham-dinh]", "[tham-dinh, tham-dinh]",
         "stages.0.next.1", "tham-dinh is there twice"),
    branched("returns: [kiem-tra, tham-dinh]", "returns: [kiem-tra, kiem-tra]",
         "[kiem-tra, kiem-tra]", "stages.2.returns.1", "kiem-tra is there twice"),
]  # fmt: skip

TERMS = [
    edit(PERMIT, "term: 0.5wd", "term: 0.0001wd", "0.0001wd", "stages.2.term", "number of minutes"),
    edit(PERMIT, "\nterm: 5wd", "\nterm: 5.0003wd", "5.0003wd", "term", "number of minutes"),
    branched("max: 5wd", "max: 0.333wh", "0.333wh", "extension.max", "number of minutes"),
    edit(COPY, "sameday@15:00", "sameday@07:30", "07:30", "term", "leaves no time"),
    edit(COPY, "sameday@15:00", "sameday@17:30", "17:30", "term", "after the office closes at",
         also=("stages",)),
    edit(COPY, "sameday@15:00", "sameday@12:00", "12:00", "term", "in the break", WARNING),
    edit(COPY, 'transfer_by: "15:00"', 'transfer_by: "20:00"', "20:00", "transfer_by", "closes at"),
    edit(COPY, 'transfer_by: "15:00"', 'transfer_by: "06:59"', "06:59", "transfer_by", "no time"),
    edit(COPY, 'transfer_by: "15:00"', 'transfer_by: "12:15"', "12:15", "transfer_by", "break",
         WARNING),
    branched("max: 5wd", "max: sameday", "sameday", "extension.max", "no length"),
    branched("before: 1wd", "before: sameday@10:00", "sameday", "extension.before", "length"),
    branched("lapse: 30cd", "lapse: sameday", "sameday", "supplement.lapse", "no length"),
    branched("lapse: 30cd", "lapse: 3000cd", "3000cd", "supplement.lapse", "past 31/12/2027"),
    branched("max: 5wd", "max: 9999wh", "9999wh", "extension.max", "calendar vn ends"),
    branched("  - term: 18wd\n    region: mountain", "  - term: 18wd", "term: 12wd", "terms.1",
         "never used", also=("term",)),
    branched("    channel: online", "    region: mountain", "term: 12wd", "terms.1",
         "one above always fits first"),
    Fault(BRANCHED, (("region: mountain", "channel: post"),
                     ("    channel: online", "    channel: counter\n  - term: 20wd")),
          "\nterm: 15wd", "term", "one of 'terms' always fits", WARNING),
    branched("come: [counter, online, post]", "come: [counter, post]", "channel: online",
         "terms.1.channel", "nothing comes in by online", also=("online.level",)),
    as_it_is(BRANCHED, "plain", "region: mountain", "terms.0.region", "no place"),
    # the walk
    branched("term: 12wd", "term: 9wd", "term: 9wd", "terms.1.term",
         "17:00 by way of kiem-tra, tham-dinh, xem-xet, ky-duyet"),
    branched("term: 7wd", "term: 13wd", "stages:", "stages", "after 15wd",
         also=("terms.1.term",)),
    Fault(IN_DAYS, (("9cd", "9wd"), ("3cd", "3wd"), ("2cd", "2wd")), "stages:", "stages",
          "received on Fri 27/01/2023 17:00 it is due on Mon 13/02/2023 17:00 after 15cd, and its"
          " stages may take until Thu 16/02/2023 17:00"),
    Fault(IN_DAYS, (("9cd", "6wd"), ("3cd", "2wd"), ("2cd", "1wd")), "stages:", "stages",
          "received on Thu 12/01/2023 17:00 it is due on Fri 27/01/2023 17:00 after 15cd, and its"
          " stages may take until Wed 01/02/2023 17:00", WARNING),
    Fault(IN_DAYS, (("9cd", "9cd"), ("3cd", "3wd"), ("2cd", "2cd")), "stages:", "stages",
          "no stage is late and yet the dossier is"),
    Fault(PERMIT, (("term: 1wd", "term: 2wd"), ("term: 3wd", "term: 0.5wd"),
                   ("leader\n    term: 0.5wd", "leader\n    term: 2.5wd")), "stages:", "stages",
          "no stage is late and yet the dossier is"),
    Fault(HALF, (("\nterm: 0.5wd", "\nterm: 1.5wd"), ("term: 2wh", "term: 1wd")), "stages:",
          "stages", "no stage is late and yet the dossier is"),
    edit(COPY, "term: 1wh", "term: 2wh", "stages:", "stages", "14:59 it is due"),
    Fault(OPEN, (("\nterm: none", "\nterm: none\nterms:\n  - term: 10wd\n    channel: online"),
                 ("term: 2wd", "term: none")), "officer\n    term: none", "stages.0.term",
          "10wd is to be shared out"),
]  # fmt: skip

HANDS = [
    as_it_is(PERMIT, "no labour", "agency: H42.05", "agency", "ended on 31/12/2022"),
    as_it_is(BRANCHED, "merged", "unit: H42.07.02", "stages.1.consults.0.unit", "ended on"),
    as_it_is(BRANCHED, "merging", "unit: H42.04.01", "stages.1.consults.1.unit",
             "ends on 30/06/2025, while", WARNING),
    as_it_is(BRANCHED, "founded", "unit: H42.03.09", "stages.3.unit", "from 01/01/2024 only"),
    as_it_is(BRANCHED, "leaving", "Review by the division}\n    unit: H42.03.01", "stages.2.unit",
             "is leader any more on 01/07/2023", WARNING),
    branched("unit: H42.07.02", "unit: H42.03.01", "- unit: H42.03.01",
         "stages.1.consults.0.unit", "leads this stage"),
    branched("unit: H42.04.01", "unit: H42.07.02", "term: 3wd\n        about: {vi: Đơn giá"
         " thiết bị, en: Prices of the equipment}\n      - unit: H42.07.02", "stages.1.consults.1",
         "there twice"),
    branched("term: 3wd\n        about", "term: 8wd\n        about", "term: 8wd",
         "stages.1.consults.0.term", "longer than the stage that asks, 7wd"),
    branched("term: 3wd\n        about", "term: none\n        about", "term: none",
         "stages.1.consults.0.term", "must have a length"),
    branched("least_loaded: true", "least_loaded: true\n        unit: H42.03.09",
         "        unit: H42.03.09", "stages.0.routes.1.unit", "nobody at H42.03.09 is officer"),
]  # fmt: skip

ROUTES = [
    branched("p-sci-officer-11", "p-sci-lead-01", "p-sci-lead-01",
         "stages.0.routes.0.person", "is no officer"),
    branched("p-sci-officer-11", "p-sci-officer-21", "p-sci-officer-21",
         "stages.0.routes.0.person", "is no officer at H42.03.01"),
    branched("p-sci-officer-11", "p-sci-officer-11\n        least_loaded: true",
         "p-sci-officer-11\n        least_loaded: true", "stages.0.routes.0.least_loaded",
         "is never asked", WARNING),
    branched("    routes:\n", "    routes:\n      - least_loaded: true\n", "- field: [khoa-hoc]",
         "stages.0.routes.1", "as rule 1 catches all", also=("stages.0.routes.2",)),
    branched("- received_at: [H42.14.01]", "- channel: [post]", "- channel: [post]",
         "stages.0.routes.1", "never reached"),
    branched("[H42.14.01]", "[H42.14.77]", "H42.14.77", "stages.0.routes.1.received_at.0",
         "no unit or service point"),
    branched("[H42.14.01]", "[H42.14.01]\n        place: [xa-a]", "[xa-a]",
         "stages.0.routes.1.place.0", "no place xa-a"),
    branched("- field: [khoa-hoc]", "- field: [tai-chinh]", "[tai-chinh]",
         "stages.0.routes.0.field.0", "has the field tai-chinh"),
    branched("- field: [khoa-hoc]", "- field: [khoa-hoc, tai-chinh]", "tai-chinh]",
         "stages.0.routes.0.field.1", "has the field tai-chinh", WARNING),
    branched("come: [counter, online, post]", "come: [counter, online]", "channel: [post]",
         "stages.0.routes.0.channel.0", "has the channel post"),
    branched("    unit: H42.03.01  # what no rule below catches\n", "",
         "- received_at: [H42.14.01]", "stages.0.routes.1", "names neither a unit nor a person"),
]  # fmt: skip

PAPERS = [
    branched("needs: [don]", "needs: [to-khai]", "to-khai", "stages.0.needs.0",
         "no component and no stage gives to-khai"),
    branched("needs: [don]", "needs: [mau-vat]", "[mau-vat]", "stages.0.needs.0",
         "need not be handed in", WARNING),
    branched("needs: [don]", "needs: [Kết quả giải quyết]", "needs: [Kết quả giải quyết]",
         "stages.0.needs.0", "produced by ky-duyet, and that does not come before"),
    branched(REVIEW, f"needs: [Phiếu trình giải quyết]\n    {REVIEW}",
         "needs: [Phiếu trình giải quyết]", "stages.2.needs.0", "past tham-dinh, which", WARNING),
    branched("needs: [don]", "needs: [don, don]", "[don, don]", "stages.0.needs.1", "twice"),
    branched("[Kết quả giải quyết]", "[Phiếu trình giải quyết]",
         "H42.03.09\n    role: leader\n    term: 1wd\n    produces: [Phiếu", "stages.3.produces.0",
         "tham-dinh produced Phiếu trình giải quyết before", WARNING),
    branched("[Phiếu trình giải quyết]", "[don]", "produces: [don]", "stages.1.produces.0",
         "is a component", WARNING),
    branched("[Phiếu trình giải quyết]", "[a, a]", "[a, a]", "stages.1.produces.1", "twice"),
    branched("copies: 1\n    reusable: true", "copies: 0", "- code: dang-ky-kinh-doanh",
         "components.1", "nobody hands it in", WARNING),
]  # fmt: skip

HOLDS = [
    branched("notice: 3wd", "notice: 16wd", "16wd", "supplement.notice", "than the term 15wd"),
    branched("notice: 3wd", "notice: 13wd", "13wd", "supplement.notice", "than the term 12wd"),
    branched("notice: 3wd", "notice: none", "none", "supplement.notice", "must have a length"),
    branched("before: 1wd", "before: 30cd", "before: 30cd", "extension.before", "longer"),
    branched("before: 1wd", "before: none", "none", "extension.before", "must have a length"),
    branched("max: 5wd", "max: none", "none", "extension.max", "must have a length"),
    branched("lapse: 30cd", "lapse: 365cd", "365cd", "supplement.lapse", "no limit", WARNING),
    branched("lapse: 30cd", "lapse: 260wd", "260wd", "supplement.lapse", "no limit", WARNING),
    branched("times: 1\n  notice", "times: 2\n  notice", "times: 2", "supplement.times",
         "Art. 11(2)(c)", WARNING),
    branched("times: 1\n  max", "times: 2\n  max", "times: 2", "extension.times",
         "Art. 19(9)", WARNING),
    branched("times: 1\n  notice", "times: 0\n  notice", "notice: 3wd", "supplement.notice",
         "never used", WARNING),
    branched("times: 1\n  max: 5wd", "times: 0", "before: 1wd", "extension.before",
         "never used", WARNING, also=("extension.instrument",)),
]  # fmt: skip

VALIDITY = [
    branched("policy: day", "policy: day\ncalendar: de", "calendar: de", "calendar",
         "no calendar de"),
    as_it_is(BRANCHED, "provincial", "agency: H42.03", "agency", "no calendar province"),
    branched("2023-01-01", "2030-01-01", "2030-01-01", "valid_from", "to 31/12/2027 only"),
    branched("2023-01-01", "2018-12-31", "2018-12-31", "valid_from", "from 01/01/2019"),
    branched("2023-01-01", "2018-01-01", "2018-01-01", "valid_from", "no regime",
         also=("valid_from",)),
    branched("policy: day", "policy: day\nregime: R1999", "R1999", "regime", "no regime"),
    branched("policy: day", "policy: day\nregime: R2018", "R2018", "regime", "not in force"),
    branched("policy: day", "policy: day\nregime: R2021", "R2021", "regime",
         "ends on 30/06/2025", WARNING),
    branched("code: 9.000301", "code: 9.000201", "code: 9.000201", "code",
         "is the code of 'Cho phép sử dụng thẻ đi lại"),
    Fault(BRANCHED, (("code: 9.000301", "code: 9.000201"), ("version: 1", "version: 2"),
                     ("2023-01-01", "2024-01-01")), "agency: H42.03", "agency",
          "is a procedure of H42.05", WARNING),
    Fault(BRANCHED, (("version: 1", "version: 2"), ("2023-01-01", "2024-06-01")), "version: 2",
          "version", "version 3 is published", around="published"),
    Fault(BRANCHED, (("version: 1", "version: 4"), ("2023-01-01", "2024-01-01")), "2024-01-01",
          "valid_from", "version 3 is in force from 01/01/2024", around="published"),
    branched("level: full", "level: none\n  reason: {vi: Bí mật, en: Secret}", "level: none",
         "online.level", "online is among"),
    branched("level: full", "level: partial", "level: partial", "online.level", "no reason",
         WARNING),
    as_it_is(BRANCHED, "no post", "come: [counter, online, post]", "channels.come.2",
             "no service point of the post", WARNING),
    branched("grounds:\n", "grounds:\n  - document: Luật Chuyển giao công nghệ 07/2017/QH14\n"
         "    verified: true\n", "verified: true\n  - document: Luật", "grounds.1", "twice",
             WARNING),
]  # fmt: skip

FAULTS = [
    *SYNTAX, *STRUCTURE, *WAYS, *TERMS, *HANDS, *ROUTES, *PAPERS, *HOLDS, *VALIDITY,
]  # fmt: skip
