"""The fields that say why an act is done, and by which norm. Pure."""

from collections.abc import Iterator

from api.desk.dossier.case import Case, Field, added, both
from states.catalogue.procedures import Ground
from states.figures.sheets import Both
from states.ledger.acts import GROUNDED, LONG, REASONED
from states.words import Event

ASKED = "asked"  # components that the citizen is to supplement: told in the reason


def why(case: Case) -> Iterator[Field]:
    event = case.event
    if event is Event.request_supplement and (parts := _components(case)):
        yield Field(
            name=ASKED,
            label=Both("Thành phần cần bổ sung", "Components to be supplemented"),
            kind="ticks",
            choices=parts,
            hint=Both("Được ghi vào lý do gửi công dân", "Told to the applicant with the reason"),
        )
    if event in REASONED or event is Event.return_result:
        yield _reason(event)
    if event in GROUNDED:
        yield Field(
            name="ground",
            label=Both("Căn cứ pháp lý", "Legal ground"),
            hint=Both("Văn bản và điều khoản", "The decree and article"),
            value=_own(case),
            required=True,
            longest=LONG,
            suggested=_grounds(case),
        )


def _reason(event: Event) -> Field:
    told = event in {Event.decline, Event.request_supplement, Event.extend, Event.stop}
    hint = Both("Công dân sẽ đọc lý do này", "The applicant will read it") if told else None
    if event is Event.return_result:
        hint = Both("Bắt buộc khi từ chối", "Needed with a refusal")
    return Field(
        name="reason",
        label=Both("Lý do", "Reason"),
        kind="long",
        hint=hint,
        required=event in REASONED - {Event.request_supplement},
        longest=LONG,
    )


def _components(case: Case) -> tuple[tuple[str, Both], ...]:
    listed = case.procedure.components if case.procedure else ()
    missing = Both(" (chưa có tệp)", " (no file yet)")
    return tuple(
        (each.code, added(each.name, missing) if each.code in case.lacking else both(each.name))
        for each in listed
    )


def _grounds(case: Case) -> tuple[str, ...]:
    procedure = case.procedure
    if procedure is None:
        return ()
    return tuple(_ground(each) for each in procedure.grounds)


def _own(case: Case) -> str:
    """That of an extension, which the procedure names."""
    procedure = case.procedure
    known = procedure.extension.ground if procedure and case.event is Event.extend else None
    return _ground(known) if known else ""


def _ground(ground: Ground) -> str:
    return f"{ground.article} {ground.document}" if ground.article else ground.document
