"""Every module that describes tables, so that the metadata is full."""

import states.breaches.rows
import states.catalogue.rows
import states.changes.rows
import states.deadlines.rows
import states.figures.rows
import states.ledger.archive
import states.notices.rows
import states.proof.rows
import states.tables  # noqa: F401
