"""`hoso notices`: what was told and what could not be, sent again, and a trial of each way."""

import asyncio
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from api.cli.bundles import Data, Json, catalogued
from api.cli.output import as_json, console, local, table
from api.cli.place import placed
from states.errors import BadInput, HosoError

Dead = Annotated[bool, typer.Option("--dead", help="Only what was given up.")]
Numbers = Annotated[
    list[int] | None, typer.Argument(metavar="ID…", help="As `hoso notices list --dead` has them.")
]
Every = Annotated[bool, typer.Option("--all", help="All dead letters.")]
OfWay = Annotated[str | None, typer.Option("--way", help="With --all: only of this way.")]
Way = Annotated[str, typer.Argument(metavar="WAY", help="email, sms, chat or webhook.")]
To = Annotated[str, typer.Argument(metavar="TO", help="An address; of a webhook its name.")]
SHOWN = 50  # messages in a table; --json has them all
COLUMNS = ("id", "code", "template", "way", "recipient", "sending", "tries")
VARIABLES = {
    "email": "HOSO_SMTP and HOSO_MAIL_FROM",
    "sms": "HOSO_SMS_GATEWAY",
    "chat": "HOSO_CHAT_GATEWAY",
    "webhook": "HOSO_WEBHOOKS",
}


class NotSetUp(HosoError):
    """No such way is set up."""


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    group = typer.Typer(help="Notices to citizens, staff and systems.", no_args_is_help=True)
    for command in (list_, resend, try_):
        group.command(command.__name__.rstrip("_"))(command)
    app.add_typer(group, name="notices")


def list_(dead: Dead = False, data: Data = None, json: Json = False) -> None:
    """How many messages stand where, and the last of them; what was given up, with the reason."""
    from states.notices import queued
    from states.notices.rows import Sending

    async def work(db: Any, book: Any, at: datetime) -> tuple[list[Any], list[Any]]:
        only = Sending.dead if dead else None
        most = None if json else SHOWN + 1
        return await queued.counts(db), await queued.listed(db, only, most)

    counts, rows = catalogued(data, work)
    if json:
        as_json({"counts": counts, "messages": rows})
        return
    stand = [(each["way"], each["sending"], each["messages"]) for each in counts]
    console.print(table("Thông báo / Notices", ("way", "is", "messages"), stand))
    last = "error" if dead else "made_at"
    lines = [[*(str(row[name] or "") for name in COLUMNS), _cell(row[last])] for row in rows]
    console.print(table("Mới nhất / Latest", (*COLUMNS, last), lines[:SHOWN]))
    if len(rows) > SHOWN:
        console.print("… and more: --json for all.", highlight=False)


def _cell(value: Any) -> str:
    return local(value) if isinstance(value, datetime) else str(value or "")


def resend(
    ids: Numbers = None,
    every: Every = False,
    way: OfWay = None,
    data: Data = None,
    json: Json = False,
) -> None:
    """Queue dead letters again, as if they had never been tried."""
    from states.notices import queued

    if every == bool(ids):
        raise BadInput("name the messages by their numbers, or all dead letters by --all")
    if way is not None and not every:
        raise BadInput("--way narrows --all: leave it out, or name no numbers")
    only = None if way is None else _known(way)

    async def work(db: Any, book: Any, at: datetime) -> int:
        numbers = await queued.every_dead(db, only) if every else sorted(set(ids or ()))
        return await queued.resend(db, numbers, at)

    count = catalogued(data, work)
    if json:
        as_json({"queued": count})
    else:
        console.print(f"{count:,} queued again: a worker sends them.", highlight=False)


def _known(way: str) -> Any:
    from states.notices.rows import Way as Ways

    if way not in set(Ways):
        raise BadInput(f"'{way[:40]}' is no way: there are {', '.join(VARIABLES)}")
    return Ways(way)


def try_(way: Way, to: To, data: Data = None, json: Json = False) -> None:
    """Send a trial message by a way that is set up, and say what came of it."""
    known = _known(way)
    with placed(data):
        asyncio.run(_tried(known, to, datetime.now(UTC)))
    if json:
        as_json({"way": way, "to": to, "sent": True})
    else:
        console.print(f"The {way} to {to} was taken.", highlight=False, markup=False)


async def _tried(way: Any, to: str, at: datetime) -> None:
    """Raises `NotSetUp`, or `NotSent` with what the receiver said."""
    from flows import wires
    from states.notices.sending import Letter, key

    trial = "Đây là tin thử từ hệ thống Hồ Sơ. / This is a trial message from Hồ Sơ."
    async with wires.opened() as outlets:
        fit = [each for each in outlets if each.way is way and each.recipient in {None, to}]
        if not fit:
            named = "" if way != "webhook" else f", or it has no webhook {to[:60]}"
            raise NotSetUp(f"no {way} is set up: set {VARIABLES[way]}{named}")
        webhook = way == "webhook"
        await fit[0].wire(
            Letter(
                id=0,
                key=key(f"trial/{at.isoformat()}", "staff", way, to),
                way=way,
                recipient=to,
                subject="trial" if webhook else "Tin thử / Trial message",
                body='{"trial":true}' if webhook else trial,
                at=at,
            )
        )
