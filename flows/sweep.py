"""Deadlines: warnings, breaches and escalations, each told once; breaches put on the record."""

from datetime import datetime

from prefect import flow

from flows.opening import moment, opened
from flows.telling import Happening, Kind, tell
from states import deadlines
from states.breaches import recording
from states.catalogue.rules import What
from states.deadlines import recent

KINDS: dict[What, Kind] = {
    What.alert: "hoso.alert",
    What.breach: "hoso.breach",
    What.escalation: "hoso.breach",
}


@flow(name="sweep", persist_result=False, description=__doc__)
async def sweep(at: datetime | None = None) -> dict[str, int]:
    """Record what is due at a moment (now) and was not told before; how many of each rule."""
    engine, book = await opened()
    begun = await recent.begun(engine)
    told = await deadlines.sweep(engine, book, moment(at))
    breaches = await recording.record(engine, book, moment(at))
    new = await recent.since(engine, begun) if any(told.values()) else []
    happened = [Happening(KINDS[e.what], e.code, {"rule": e.rule, "unit": e.unit}) for e in new]
    await tell("sweep", told | {f"breaches {what}": n for what, n in breaches.items()}, happened)
    return told
