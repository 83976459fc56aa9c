"""What the next edition needs: without it nothing could go on, not even a correction."""

from datetime import date
from typing import Any

from states.catalogue import Catalogue
from states.catalogue.bundles import named
from states.catalogue.organisation import Organisation
from states.catalogue.regimes import Regimes
from states.catalogue.rights import DECIDES, NotAllowed
from states.catalogue.rows import Kind


def check_goes_on(book: Catalogue, row: Any, on: date) -> None:
    """Refuse an organisation or regimes with which nothing could go on, not even their correction.

    Raises `NotAllowed`, or `Unknown` for a calendar or a rule that is not there.
    """
    if row.kind is Kind.regimes:
        regimes = Regimes.model_validate_json(row.data)
        regimes.regime_on(on)
        regimes.code_for(book.centre.code, on, 1)
        return
    if row.kind is not Kind.organisation:
        return
    staff = Organisation.model_validate_json(row.data)
    for name in {staff.calendar_of(code) for code in staff.bodies}:
        book.calendar(name)
    if gone := sorted(book.organisation.bodies.keys() - staff.bodies.keys()):
        raise NotAllowed(
            "{gone} is gone from {named}: end it with 'until' instead",
            gone=gone[0],
            named=named(row),
        )
    if not any(each.holds(role, on=on) for each in staff.people for role in DECIDES):
        raise NotAllowed(
            "nobody in {named} is a leader or of the control unit on {on:%d/%m/%Y}: who would"
            " publish the next?",
            named=named(row),
            on=on,
        )
