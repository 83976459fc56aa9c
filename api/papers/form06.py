"""Biểu 06 as programs have always had it: its lines, with their identities spelled out."""

from typing import Any

WHOLE = {"early", "on_time", "received", "resolved", "in_process"}
RATES = (("of_resolved", "resolved"), ("of_received", "received"))


def lines(told: dict[str, Any]) -> dict[str, Any]:
    """`rows` and `total` of the form's one sheet, beside what is told of every report."""
    sheet = told["sheets"][0]
    if WHOLE - {each["key"] for each in sheet["columns"]}:
        return {}
    total = sheet["total"] and _line(sheet["total"])
    return {"rows": [_line(each) for each in sheet["rows"]], "total": total}


def _line(row: dict[str, Any]) -> dict[str, Any]:
    part = row["early"] + row["on_time"]
    rates = [
        {"percent": row[rate], "of": whole, "part": part, "whole": row[whole]}
        for rate, whole in RATES
    ]
    balances = row["received"] == row["resolved"] + row["in_process"]
    return row | {"balances": balances, "on_time_rates": rates}
