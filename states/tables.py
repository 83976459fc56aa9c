"""The rows. What the machine promises, the database holds: words by CHECK, facts tied to states.

`Dossier` is a projection: every column of it can be derived again from its `Entry` lines and the
catalogue. `Entry` is the truth: history, audit, optimistic lock and outbox in one table.
"""

from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from states import lifecycle
from states.clock import Policy
from states.columns import FINISHED, MOMENT, UNFINISHED, iff, listed, only, word
from states.words import Channel, Event, Outcome, Role, State, Tally

# Constraints named by rule, so migrations and error handlers can speak of them.
SQLModel.metadata.naming_convention = {
    "ck": "%(table_name)s_%(constraint_name)s",
    "uq": "%(table_name)s_%(column_0_N_name)s_key",
    "fk": "%(table_name)s_%(column_0_name)s_fkey",
    "pk": "%(table_name)s_pkey",
    "ix": "%(table_name)s_%(column_0_N_name)s_idx",
}


# Where nothing goes on by itself, in the order of their coming: to be received, to be handed over.
AT_COUNTER = (State.registered, State.result_returned)


EDITS = (Event.restate, Event.recompute, Event.migrate, Event.reopen)
HOLDS = (Event.request_supplement, Event.request_payment)
SELDOM = sa.text(f"event IN {listed((*EDITS, *HOLDS, Event.extend))}")
"""Lines that audits ask for by themselves: few of all."""


class Dossier(SQLModel, table=True):
    """A dossier as it stands."""

    __table_args__ = (
        only("state", State),
        only("channel", Channel),
        only("policy", Policy),
        only("stage_role", Role),
        only("delivered_by", Channel),
        only("outcome", Outcome),
        only("verdict", Tally),
        iff("finished_at IS NOT NULL", lifecycle.FINISHED, "finished"),
        iff("verdict IS NOT NULL", lifecycle.FINISHED, "classed"),
        iff("outcome IS NOT NULL", lifecycle.WITH_RESULT, "decided"),
        iff("delivered_at IS NOT NULL", {State.delivered}, "delivered"),
        sa.CheckConstraint(
            "delivered_by IS NULL OR delivered_at IS NOT NULL", name="delivered_by_one"
        ),
        iff("lapse_at IS NOT NULL", lifecycle.HELD, "waiting"),
        sa.CheckConstraint(
            f"state NOT IN {listed(lifecycle.IN_PROCEDURE)} OR received_at IS NOT NULL",
            name="received",
        ),
        sa.CheckConstraint("(due_at IS NULL) = (late_at IS NULL)", name="deadline"),
        sa.CheckConstraint("due_at IS NULL OR received_at IS NOT NULL", name="due"),
        sa.CheckConstraint("stage >= -1 AND stage < greatest(stages, 1)", name="stage"),
        sa.CheckConstraint(
            "missing >= 0 AND supplements_left >= 0 AND extensions_left >= 0", name="counts"
        ),
        sa.CheckConstraint("seq >= 1 AND deadline BETWEEN 0 AND seq", name="seq"),
        # What flows look for: few rows of many, so the indexes stay small at any size.
        sa.Index(
            "dossier_automatic_idx",
            "state",
            "id",
            postgresql_where=sa.text(
                "state IN " + listed({State(row.source) for row in lifecycle.ROWS if row.automatic})
            ),
        ),
        # With it whatever is asked of what runs, so that who sees little of it reads no more.
        sa.Index(
            "dossier_due_idx",
            "due_at",
            "id",
            postgresql_include=["late_at", "state", "agency", "field", "unit"],
            postgresql_where=UNFINISHED,
        ),
        # Entered by the last moves of a dossier only.
        sa.Index("dossier_was_due_idx", "due_at", postgresql_where=FINISHED),
        sa.Index("dossier_finished_idx", "finished_at", postgresql_where=FINISHED),
        # What people look at: their unit's, and what waits at the counter.
        sa.Index("dossier_unit_idx", "unit", "state", "id"),
        sa.Index(
            "dossier_counter_idx",
            "state",
            "moved_at",
            "id",
            postgresql_where=sa.text(f"state IN {listed(AT_COUNTER)}"),
        ),
        sa.Index("dossier_lapse_idx", "lapse_at", postgresql_where=sa.text("lapse_at IS NOT NULL")),
        sa.Index("dossier_agency_idx", "agency", "received_at"),
    )

    id: int | None = Field(
        default=None,
        sa_type=sa.BigInteger,
        sa_column_args=(sa.Identity(),),
        primary_key=True,
    )
    code: str = Field(unique=True)
    seq: int = 1
    state: State = Field(sa_type=word(State))
    head: bytes = Field(sa_type=sa.LargeBinary)  # hash of the last entry

    # who and what
    agency: str
    counter: str  # the unit or service point that took it in
    unit: str  # where it lies now
    field: str
    procedure: str
    version: int
    channel: Channel = Field(sa_type=word(Channel))
    applicant: str
    email: str | None = None  # the applicant's, for notices
    phone: str | None = None
    citizen: str | None = None  # HMAC-SHA-256 of the number of their identity card, to find it by
    source: str | None = None  # the file or system it was taken over from

    # pinned at receipt
    term: str
    calendar: str
    calendar_version: str
    policy: Policy = Field(sa_type=word(Policy))
    regime: str
    place: str | None = None  # where the applicant is at home, for routing and the region's term
    stages: int
    takes_in: bool
    supplement_restarts: bool

    # where it stands
    stage: int = -1
    leads: bool = False  # other stages may follow the present one
    ends: bool = False  # the result may follow it
    stage_role: Role | None = Field(default=None, sa_type=word(Role))
    visit: int = 0  # number of the present or last visit of a stage
    missing: int = 0
    supplements_left: int = 0
    extensions_left: int = 0
    fee_asked: int = Field(default=0, sa_type=sa.BigInteger)  # VND
    fee_paid: int = Field(default=0, sa_type=sa.BigInteger)  # VND

    # the clock
    facts: dict[str, Any] = Field(default_factory=dict, sa_type=sa.JSON)
    registered_at: datetime = Field(sa_type=MOMENT)
    moved_at: datetime = Field(sa_type=MOMENT)  # of the last entry
    received_at: datetime | None = Field(default=None, sa_type=MOMENT)
    due_original: datetime | None = Field(default=None, sa_type=MOMENT)
    due_at: datetime | None = Field(default=None, sa_type=MOMENT)
    late_at: datetime | None = Field(default=None, sa_type=MOMENT)
    deadline: int = 0  # seq of the entry that set the deadline in force: its version
    lapse_at: datetime | None = Field(default=None, sa_type=MOMENT)
    finished_at: datetime | None = Field(default=None, sa_type=MOMENT)
    used: int | None = None  # working minutes, once finished
    verdict: Tally | None = Field(default=None, sa_type=word(Tally))
    outcome: Outcome | None = Field(default=None, sa_type=word(Outcome))
    delivered_at: datetime | None = Field(default=None, sa_type=MOMENT)
    delivered_by: Channel | None = Field(default=None, sa_type=word(Channel))


class Entry(SQLModel, table=True):
    """One line of the ledger; `(dossier_id, seq)` is the key, so two writers never share a number.

    `at` is when it happened, `recorded_at` when the database heard of it. `payload` is JSON kept as
    the text that was hashed. `xact` lets readers of the outbox wait for slow writers.
    """

    __table_args__ = (
        only("event", Event),
        only("source", State),
        only("dest", State),
        only("role", Role),
        sa.CheckConstraint("(source IS NULL) = (seq = 1)", name="first"),
        sa.CheckConstraint("payload::json IS NOT NULL", name="payload_json"),
        sa.Index(
            "entry_key_key",
            "actor",
            "key",
            unique=True,
            postgresql_where=sa.text("key IS NOT NULL"),
        ),
        sa.Index("entry_outbox_idx", "xact", "id"),
        sa.Index("entry_seldom_idx", "event", "at", postgresql_where=SELDOM),
    )

    dossier_id: int = Field(foreign_key="dossier.id", primary_key=True, sa_type=sa.BigInteger)
    seq: int = Field(primary_key=True)
    id: int | None = Field(
        default=None,
        sa_type=sa.BigInteger,
        sa_column_args=(sa.Identity(),),
        nullable=False,
    )
    event: Event = Field(sa_type=word(Event))
    source: State | None = Field(default=None, sa_type=word(State))
    dest: State = Field(sa_type=word(State))
    role: Role = Field(sa_type=word(Role))
    actor: str
    on_behalf_of: str | None = None  # the agency a postal clerk acts for
    at: datetime = Field(sa_type=MOMENT)
    recorded_at: datetime = Field(sa_type=MOMENT)
    payload: str = Field(sa_type=sa.Text)
    reason: str | None = None
    ground: str | None = None  # decree and article
    key: str | None = None
    prev: bytes | None = Field(default=None, sa_type=sa.LargeBinary)
    hash: bytes = Field(sa_type=sa.LargeBinary)
    xact: int | None = Field(
        default=None,
        sa_column=sa.Column(
            "xact",
            sa.BigInteger,
            nullable=False,
            server_default=sa.text("ledger_base() + pg_current_xact_id()::text::bigint"),
        ),
    )


class Visit(SQLModel, table=True):
    """One visit of a dossier to a stage, with its own clock. A second visit is a second row."""

    __table_args__ = (
        only("role", Role),
        only("verdict", Tally),
        sa.CheckConstraint("(closed_at IS NULL) = (closed_seq IS NULL)", name="closed"),
        sa.CheckConstraint("(closed_at IS NULL) = (verdict IS NULL)", name="classed"),
        # Closing a visit seldom changes these columns: then it changes no index.
        sa.Index("visit_person_idx", "person", "dossier_id"),
        sa.Index("visit_unit_idx", "unit", "dossier_id"),
    )

    dossier_id: int = Field(foreign_key="dossier.id", primary_key=True, sa_type=sa.BigInteger)
    visit: int = Field(primary_key=True)
    stage: int
    code: str
    unit: str
    role: Role = Field(sa_type=word(Role))
    person: str | None = None  # who took it in; none while it lies in the unit's tray
    term: str
    opened_at: datetime = Field(sa_type=MOMENT)
    opened_seq: int
    due_at: datetime | None = Field(default=None, sa_type=MOMENT)
    closed_at: datetime | None = Field(default=None, sa_type=MOMENT)
    closed_seq: int | None = None
    used: int | None = None  # working minutes
    verdict: Tally | None = Field(default=None, sa_type=word(Tally))


class Activity(SQLModel, table=True):
    """One event of an imported history, as its system told it."""

    dossier_id: int = Field(foreign_key="dossier.id", primary_key=True, sa_type=sa.BigInteger)
    n: int = Field(primary_key=True)
    name: str
    at: datetime = Field(sa_type=MOMENT)
    person: str | None = None
    unit: str | None = None
    data: dict[str, Any] = Field(default_factory=dict, sa_type=sa.JSON)


class CodeSequence(SQLModel, table=True):
    """The last number a unit gave on a day (Circular 01/2018/TT-VPCP Art. 19)."""

    __tablename__ = "code_sequence"

    unit: str = Field(primary_key=True)
    day: date = Field(primary_key=True)
    last: int


class Reader(SQLModel, table=True):
    """How far a reader of the outbox has come: the transaction and number of its last line."""

    name: str = Field(primary_key=True)
    xact: int = Field(default=0, sa_type=sa.BigInteger)
    last: int = Field(default=0, sa_type=sa.BigInteger)


class Anchor(SQLModel, table=True):
    """The heads of an agency's chains at the end of a day, signed (HMAC-SHA-256)."""

    agency: str = Field(primary_key=True)
    day: date = Field(primary_key=True)
    dossiers: int
    heads: bytes = Field(sa_type=sa.LargeBinary)  # SHA-256 over the heads in order of id
    before: int = Field(sa_type=sa.BigInteger)  # transactions that had ended when it was signed
    signature: bytes = Field(sa_type=sa.LargeBinary)
    recorded_at: datetime = Field(
        sa_type=MOMENT, sa_column_kwargs={"server_default": sa.func.now()}
    )
