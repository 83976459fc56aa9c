"""A simulation as JSON has it."""

from dataclasses import asdict
from datetime import datetime
from typing import Any

from states.simulation.results import Reread, Simulation


def as_dict(made: Simulation) -> dict[str, Any]:
    """All of it, with everyone who changes class."""
    draft, zone = made.draft, made.calendar.zone

    def told(each: Reread) -> dict[str, Any]:
        facts = each._asdict()
        local = {n: at.astimezone(zone) for n, at in facts.items() if isinstance(at, datetime)}
        return {**facts, **local}

    return {
        "procedure": draft.code,
        "version": draft.version,
        "term": str(draft.term),
        "policy": draft.policy,
        "calendar": f"{made.calendar.name}@{made.calendar.version}",
        "from": made.since.astimezone(zone),
        "to": made.until.astimezone(zone),
        "read": made.read,
        "before": made.before,
        "after": made.after,
        "matrix": [
            {"before": was, "after": now, "dossiers": n} for (was, now), n in made.matrix.items()
        ],
        "changed": [told(each) for each in made.changed],
        "worst": [told(each) for each in made.worst],
        "stages": [asdict(each) for each in made.stages],
        "left_out": {
            **asdict(made.left_out),
            "examples": [{"code": code, "why": why} for code, why in made.left_out.examples],
        },
        "disallowed": asdict(made.disallowed),
        "recalendared": made.recalendared,
    }
