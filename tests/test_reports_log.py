"""A real counter's log, imported once: its classes, and whose time its lateness was."""

from datetime import UTC, datetime

from sqlalchemy.ext.asyncio import AsyncEngine
from test_intake_files import RECEIPT
from test_logs_doors import SAMPLE, imported, real

from states import catalogue
from states.db import transaction
from states.figures.asking import Question, asked
from states.figures.every import find

AT = datetime(2024, 1, 1, tzinfo=UTC)


@real
async def test_the_lateness_of_a_real_counter_is_attributed(fresh: AsyncEngine) -> None:
    await imported(fresh, RECEIPT, SAMPLE / "receipt-map.yaml")
    book = catalogue.load()
    async with transaction(fresh) as db:
        form = find("bieu06")
        paper = await form.make(await asked(db, book, form, Question(), AT))
        (sheet,) = paper.sheets
        total = dict(zip((each.key for each in sheet.columns), sheet.total or (), strict=True))
        classes = [total[key] for key in ("early", "on_time", "late", "in_process")]
        assert classes == [937, 70, 322, 105]
        report = find("holders")
        for by in ((), ("agency",), ("procedure", "channel")):
            found = await report.make(await asked(db, book, report, Question(by=by), AT))
            kinds, lateness, units = found.sheets
            assert found.faults == ()
            keys = [each.key for each in kinds.columns]
            whole = dict(zip(keys, kinds.total or (), strict=True))
            assert whole["dossiers"] == 937 + 70 + 322
            assert f"{322} of them late" in kinds.notes[-1].en
            assert (lateness.total or ())[1:] == [whole["late_minutes"], 100]
            for each in (kinds, lateness, units):
                rows = [dict(zip((c.key for c in each.columns), row, strict=True))
                        for row in each.rows]  # fmt: skip
                assert each is lateness or sum(row["minutes"] for row in rows) == whole["minutes"]
                assert sum(row["late_minutes"] for row in rows) == whole["late_minutes"] > 0
                assert abs(sum(row["late_share"] for row in rows) - 100) < 1e-6
            assert len({row[units.column("unit")].code for row in units.rows}) > 3
