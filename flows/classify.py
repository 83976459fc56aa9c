"""The nightly proof: every projection read again from its lines, every balance drawn twice."""

from datetime import datetime
from typing import Any

from prefect import flow

from flows.opening import moment, opened
from flows.telling import Happening, named, tell
from states.proof import SHARE, prove


@flow(name="classify", flow_run_name=named, persist_result=False, description=__doc__)
async def classify(at: datetime | None = None, share: int = SHARE) -> dict[str, Any]:
    """Prove what is open and a share of what is closed; what does not hold is told, not mended."""
    engine, book = await opened()
    proof = await prove(engine, book, moment(at), share)
    failed = [Happening("hoso.proof-failed", each.code, each._asdict()) for each in proof.found]
    await tell("classify", proof.counts, failed)
    return proof.told()
