"""The groups of Decision 766/QĐ-TTg, as far as a one-stop centre's own data can give them.

The national score is reckoned from what was synchronised to the national portal, and by formulas
that no text at hand gives: so the rates it is made of are told, and no points. What is not in the
data is said to be missing.
"""

from typing import Any

from states.figures import digitisation
from states.figures.bieu06.form import FORM as BIEU06
from states.figures.channels import FORM as CHANNELS
from states.figures.counting import counted
from states.figures.procedures import offered
from states.figures.reporting import Asked, Report
from states.figures.sheets import Both, Column, Kind, Paper, Sheet
from states.words import Channel

COLUMNS = (
    Column("group", Both("Nhóm", "Group"), Kind.text),
    Column("most", Both("Điểm tối đa", "Points at most"), Kind.integer),
    Column("figure", Both("Số liệu", "Figure"), Kind.text),
    Column("part", Both("Tử số", "Part"), Kind.integer),
    Column("whole", Both("Mẫu số", "Whole"), Kind.integer),
    Column("share", Both("Tỷ lệ", "Share"), Kind.percent),
)
TRANSPARENT = Both("Công khai, minh bạch", "Transparency")
PROGRESS = Both("Tiến độ giải quyết", "Progress")
DIGITISED = Both("Số hóa hồ sơ", "Digitisation")
ONLINE = Both("Cung cấp dịch vụ trực tuyến", "Online provision")
SATISFIED = Both("Mức độ hài lòng", "Satisfaction")
MOST = {TRANSPARENT: 18, PROGRESS: 20, DIGITISED: 22, ONLINE: 22, SATISFIED: 18}
MISSING = Both("không có trong dữ liệu", "not in the data")
GREEN = 99.5  # percent in time: what the dashboards of provinces show in green


async def _make(asked: Asked) -> Paper:
    rows = [
        _row(TRANSPARENT, MISSING),
        *await _progress(asked),
        *await _digitised(asked),
        *await _online(asked),
        _row(SATISFIED, MISSING),
    ]
    return asked.paper(REPORT, Sheet("groups", REPORT.title, COLUMNS, tuple(rows), notes=NOTES))


async def _progress(asked: Asked) -> list[list[Any]]:
    total = BIEU06.totalled(await counted(asked.db, BIEU06, (), [asked.period], asked.only))
    in_time = total["early"] + total["on_time"]
    what = Both("Giải quyết trước và đúng hạn / đã giải quyết", "Resolved in time / resolved")
    left = Both("Đang xử lý quá hạn / đang xử lý", "In process overdue / in process")
    return [
        _row(PROGRESS, what, in_time, total["resolved"]),
        _row(PROGRESS, left, total["overdue"], total["in_process"]),
    ]


async def _digitised(asked: Asked) -> list[list[Any]]:
    found = await digitisation.rates(asked)
    what = Both("Hồ sơ số hóa đủ / tiếp nhận", "Digitised / received")
    again = Both("Tái sử dụng giấy tờ, kết quả: ", "Papers and results used again: ")
    return [
        _row(DIGITISED, what, found["digitised"], found["received"]),
        _row(DIGITISED, Both(again.vi + MISSING.vi, again.en + MISSING.en)),
    ]


async def _online(asked: Asked) -> list[list[Any]]:
    total = CHANNELS.totalled(await counted(asked.db, CHANNELS, (), [asked.period], asked.only))
    there = [
        each
        for each in offered(asked.book, asked.period)
        if asked.agencies is None or each.agency in asked.agencies
    ]
    full = sum(each.online is not None and each.online.level == "full" for each in there)
    lodged = Both("Hồ sơ trực tuyến / tiếp nhận", "Lodged online / received")
    whole = Both("Thủ tục trực tuyến toàn trình / triển khai", "Fully online / deployed")
    return [
        _row(ONLINE, lodged, total[f"in_{Channel.online}"], total["in_all"]),
        _row(ONLINE, whole, full, len(there)),
    ]


def _row(group: Both, figure: Both, part: int | None = None, whole: int | None = None) -> list[Any]:
    share = 100 * part / whole if part is not None and whole else None
    return [group.vi, MOST[group], figure.vi, part, whole, share]


NOTES = (
    Both(
        "Điểm do Cổng Dịch vụ công quốc gia tính từ dữ liệu đã đồng bộ; ở đây chỉ có tỷ lệ",
        "Points are reckoned by the national portal from what was synchronised; here are rates",
    ),
    Both(
        f"Ngưỡng xanh thường dùng: {GREEN:g} % giải quyết trước và đúng hạn".replace(".", ","),
        f"Commonly shown in green: {GREEN:g} % resolved in time",
    ),
)
REPORT = Report(
    name="decision766",
    title=Both("Các nhóm chỉ số theo Quyết định 766", "The groups of Decision 766"),
    source=Both("Quyết định 766/QĐ-TTg (2022)", "Decision 766/QĐ-TTg (2022)"),
    meaning=Both(
        "Tiến độ, số hóa, dịch vụ trực tuyến: các tỷ lệ có trong dữ liệu",
        "Progress, digitisation, online provision: the rates that the data can give",
    ),
    make=_make,
)
