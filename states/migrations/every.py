"""Every module that describes tables, so that the metadata is full."""

import states.accounts.rows
import states.answers
import states.breaches.rows
import states.catalogue.rows
import states.changes.rows
import states.consultations.rows
import states.deadlines.rows
import states.drafts
import states.figures.rows
import states.files.rows
import states.finding.rows
import states.finding.saved
import states.forms.rows
import states.intake.rows
import states.ledger.archive
import states.notices.rows
import states.proof.rows
import states.seeing
import states.tables
import states.tracking.feedback  # noqa: F401
