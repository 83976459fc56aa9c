"""Deadlines: warnings, breaches and escalations, each told once; breaches put on the record."""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime

from prefect import flow

from flows.opening import moment, opened
from flows.telling import Happening, Kind, named, tell
from states import deadlines
from states.breaches import recording
from states.catalogue.rules import Rules, What
from states.consultations import ending
from states.db import transaction
from states.deadlines import recent
from states.figures.rolling import roll

KINDS: dict[What, Kind] = {
    What.alert: "hoso.alert",
    What.breach: "hoso.breach",
    What.escalation: "hoso.breach",
    What.reminder: "hoso.alert",
}


@flow(name="sweep", flow_run_name=named, persist_result=False, description=__doc__)
async def sweep(at: datetime | None = None) -> dict[str, int]:
    """Record what is due at a moment (now) and was not told before; how many of each rule."""
    engine, book = await opened()
    begun = await recent.begun(engine)
    told = await deadlines.sweep(engine, book, moment(at))
    breaches = await recording.record(engine, book, moment(at))
    async with transaction(engine) as db:
        await ending.overtake(db)
    await roll(engine)  # figures are exact without it, and quick with it
    new = await recent.since(engine, begun) if any(told.values()) else []
    happened = [Happening(KINDS[e.what], e.code, {"rule": e.rule, "unit": e.unit}) for e in new]
    counts = told | {f"breaches {what}": n for what, n in breaches.items()}
    await tell("sweep", counts, happened, kinds=_kinds(book.rules, told))
    return told


def _kinds(rules: Rules, told: Mapping[str, int]) -> Mapping[Kind, int]:
    kinds: Counter[Kind] = Counter()
    for rule in rules.rules:
        kinds[KINDS[rule.what]] += told[rule.code]
    return kinds
