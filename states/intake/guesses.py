"""How other systems name things: words of Vietnamese, English and Dutch software. Data only, and
the two functions that compare them.
"""

# Ours -> names of theirs, the surest first; accents, case and punctuation do not count.
FIELDS: dict[str, tuple[str, ...]] = {
    "code": (
        "ma ho so", "so ho so", "ma bien nhan", "case id", "case concept name", "concept name",
        "case code", "dossier code", "dossier id", "file number", "code", "case", "zaaknummer",
        "zaak id", "dossiernummer", "id",
    ),
    "received": (
        "ngay tiep nhan", "thoi gian tiep nhan", "ngay nhan", "ngay nop", "received at",
        "received", "date received", "startdate", "start date", "submitted", "ontvangstdatum",
        "ontvangen", "startdatum", "created",
    ),
    "due": (
        "ngay hen tra", "hen tra", "thoi han", "han xu ly", "han tra", "enddate planned",
        "planned end date", "einddatum gepland", "streefdatum", "promised", "due at", "due date",
        "due", "deadline", "uiterste datum",
    ),
    "finished": (
        "ngay co ket qua", "ngay ket thuc", "ngay hoan thanh", "ngay xu ly xong", "ngay tra",
        "enddate", "end date", "finished at", "finished", "completed", "closed", "einddatum",
        "afgehandeld",
    ),
    "delivered": (
        "ngay tra ket qua", "ngay giao", "ngay nhan ket qua", "delivered at", "delivered",
        "date delivered", "uitgereikt",
    ),
    "procedure": (
        "ma thu tuc", "ma tthc", "thu tuc", "ten thu tuc", "procedure", "case type", "zaaktype",
        "procedure code",
    ),
    "agency": (
        "ma co quan", "co quan", "don vi giai quyet", "so nganh", "agency", "organisation",
        "organization", "authority", "instantie",
    ),
    "unit": ("phong ban", "phong", "don vi", "unit", "department", "afdeling", "group", "groep"),
    "person": (
        "can bo", "nguoi xu ly", "chuyen vien", "can bo tiep nhan", "responsible", "officer",
        "handler", "behandelaar", "owner",
    ),
    "applicant": (
        "ho va ten", "ho ten", "nguoi nop", "chu ho so", "nguoi yeu cau", "applicant", "aanvrager",
    ),
    "phone": ("so dien thoai", "dien thoai", "sdt", "phone", "telephone", "mobile", "telefoon"),
    "email": ("thu dien tu", "dia chi email", "e mail", "email", "mail"),
    "citizen_id": (
        "so cccd", "cccd", "so cmnd", "cmnd", "so dinh danh", "can cuoc", "citizen id",
        "identity card", "bsn",
    ),
    "channel": (
        "hinh thuc nop", "hinh thuc tiep nhan", "hinh thuc", "kenh", "channel", "kanaal",
        "source channel",
    ),
    "outcome": ("ket qua", "outcome", "result", "resultaat", "decision", "besluit"),
}  # fmt: skip

EVENT: dict[str, tuple[str, ...]] = {
    "name": (
        "concept name", "cong viec", "buoc", "buoc xu ly", "hoat dong", "activity", "event",
        "activiteit", "task",
    ),
    "at": (
        "time timestamp", "thoi diem", "thoi gian", "timestamp", "complete timestamp",
        "event time", "time", "tijdstip",
    ),
    "person": (
        "org resource", "nguoi thuc hien", "resource", "user", "medewerker", *FIELDS["person"],
    ),
    "unit": ("org group", "don vi thuc hien", *FIELDS["unit"]),
}  # fmt: skip

CHANNELS: dict[str, tuple[str, ...]] = {
    "online": (
        "online", "internet", "web", "portal", "e mail", "email", "mail", "truc tuyen", "qua mang",
        "dich vu cong", "mot phan", "toan trinh", "digitaal",
    ),
    "post": ("post", "buu chinh", "buu dien", "bcci", "postal", "brief", "per post"),
    "counter": (
        "counter", "desk", "truc tiep", "tai quay", "mot cua", "balie", "intern", "internal",
        "in person",
    ),
}  # fmt: skip

OUTCOMES: dict[str, tuple[str, ...]] = {
    "approved": ("approved", "granted", "dong y", "phe duyet", "chap thuan", "verleend"),
    "refused": ("refused", "rejected", "denied", "tu choi", "geweigerd"),
    "unstated": ("unknown", "khong ro", "onbekend"),
}  # fmt: skip

DATES = (
    "%d/%m/%Y %H:%M:%S", "%d/%m/%Y %H:%M", "%d/%m/%Y", "%H:%M %d/%m/%Y", "%H:%M:%S %d/%m/%Y",
    "%d-%m-%Y %H:%M:%S", "%d-%m-%Y %H:%M", "%d-%m-%Y", "%d.%m.%Y %H:%M", "%d.%m.%Y",
    "%Y/%m/%d %H:%M:%S", "%Y/%m/%d %H:%M", "%Y/%m/%d", "%m/%d/%Y %H:%M", "%m/%d/%Y",
)  # fmt: skip

HOUR = 3600
ZONES = {
    frozenset({7 * HOUR}): "Asia/Ho_Chi_Minh",
    frozenset({HOUR, 2 * HOUR}): "Europe/Amsterdam",
    frozenset({HOUR}): "Europe/Amsterdam",
    frozenset({2 * HOUR}): "Europe/Amsterdam",
    frozenset({0}): "UTC",
}


def zone_of(offsets: set[int]) -> tuple[str, str]:
    """A zone for the offsets seen, and why."""
    if not offsets:
        return "Asia/Ho_Chi_Minh", "no time carries an offset; say where the clock on the wall hung"
    hours = ", ".join(f"{offset / HOUR:+g} h" for offset in sorted(offsets))
    zone = ZONES.get(frozenset(offsets), "UTC")
    return zone, f"the times carry {hours}; any zone with those will do for them, days follow it"
