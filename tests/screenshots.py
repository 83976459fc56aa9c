"""The ten main pages, on the morning after the pilot year, as docs/screenshots has them.

make screenshots
"""

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from browsing import PHONE, House, browser, chromium, opened, ready
from lean_png import lean
from office import LICENCE, PAPERS
from serving import SECRET

from config.secret import key
from states import tracking

AT = datetime(2024, 1, 2, 8, 30, tzinfo=ZoneInfo("Asia/Ho_Chi_Minh"))
INTO = Path(__file__).parents[1] / "docs" / "screenshots"
RECEPTION, OFFICER, LEADER, CONTROL = (
    "p-reception-01",
    "p-sci-officer-21",
    "p-sci-lead-02",
    "p-control-01",
)
LARGEST = 150_000  # bytes
OFFICE = {"width": 1280, "height": 720}


class Shot(NamedTuple):
    """A page, and who looks at it. `act`: what they do there first, as a script of the page."""

    name: str
    address: str
    person: str | None
    act: str = ""
    size: dict[str, int] = OFFICE


SHOTS = (
    Shot("today", "/today", RECEPTION),
    Shot(
        "receive",
        f"/receive/form?procedure={LICENCE}",
        RECEPTION,
        """document.querySelector("#f-applicant").value = "Nguyễn Thị Ánh Nguyệt";
        document.querySelectorAll("[data-must]").forEach((each) => each.click());""",
    ),
    Shot("dossier", "/dossiers/{code}", OFFICER),
    Shot("digitise", "/dossiers/{fresh}/digitise", RECEPTION),
    Shot(
        "bulk",
        "/dossiers",
        RECEPTION,
        "[...document.querySelectorAll('tbody td input[type=checkbox]')].slice(0, 4)"
        ".forEach((each) => each.click());",
    ),
    Shot("dashboard", "/dashboard?from=2023-01-01&to=2023-12-31", CONTROL),
    Shot("breaches", "/breaches", CONTROL),
    Shot("report", "/reports/bieu06?period=2023", CONTROL),
    Shot("procedure", f"/procedures/{LICENCE}", LEADER),
    Shot("track", "/track/{fresh}/{secret}", None, size=PHONE),
)


@contextmanager
def lived_through(folder: Path) -> Iterator[str]:
    """The address of a database in which the pilot year was lived."""
    import pilot_year
    from seeding import seeded

    from states.db import migrate
    from states.embedded import running

    with running(folder) as server:
        migrate(server.owner)
        seeded(server.owner)
        yield pilot_year.lived(server)


def begun(house: House) -> dict[str, str]:
    """Dossiers of this morning: one at the counter, one in its first stage."""
    headers = {"Origin": house.address, "Sec-Fetch-Site": "same-origin"}
    lodged = {"event": "receive", "procedure": LICENCE, "channel": "counter", "components": PAPERS}

    def sent(person: str, path: str, body: dict[str, Any]) -> Any:
        with house.seat(person) as context:
            answer = context.request.post(path, data=body, headers=headers)
            assert answer.ok, answer.text()
            return answer.json()

    names = ("Trần Văn Bảo", "Lê Thị Quỳnh Như", "Đặng Hữu Phước", "Phạm Thị Hòa", "Vũ Đức Minh")
    codes = [
        str(sent(RECEPTION, "/v1/dossiers", lodged | {"applicant": name})["code"]) for name in names
    ]
    for event, person in (("digitise", RECEPTION), ("route", RECEPTION), ("accept", OFFICER)):
        sent(person, f"/v1/dossiers/{codes[0]}/events/{event}", {})
    part = tracking.secret_part(key(SECRET.encode(), "slip"), codes[1])
    return {"code": codes[0], "fresh": codes[1], "secret": tracking.grouped(part)}


def taken(house: House, shot: Shot, names: dict[str, str]) -> int:
    """How many bytes it has."""
    file = INTO / f"{shot.name}.png"
    with house.seat(shot.person, viewport=shot.size) as context:
        page = context.new_page()
        answer = page.goto(shot.address.format_map(names))
        assert answer is not None
        assert answer.status == 200, f"{shot.address}: {answer.status}"
        ready(page)
        if shot.act:
            page.evaluate(shot.act)
            ready(page)
        file.write_bytes(lean(page.screenshot(animations="disabled")))
    house.settled()
    return file.stat().st_size


def main() -> None:
    if chromium() is None:
        sys.exit("there is no Chromium: apt-get install chromium")
    INTO.mkdir(parents=True, exist_ok=True)
    large = []
    with (
        tempfile.TemporaryDirectory(prefix="hoso-screenshots-") as folder,
        lived_through(Path(folder)) as database,
        browser() as chrome,
        opened(database, Path(folder), chrome, AT) as house,
    ):
        names = begun(house)
        for shot in SHOTS:
            size = taken(house, shot, names)
            print(f"{shot.name}.png  {size / 1000:,.0f} kB")
            large += [shot.name] if size > LARGEST else []
    if large:
        sys.exit(f"larger than {LARGEST // 1000} kB: {', '.join(large)}")


if __name__ == "__main__":
    main()
