"""Rows out of any file we read: one door for the three formats."""

from collections.abc import Iterator

from states.intake import delimited, source, xes
from states.intake.source import Break, Header, Row, Source


def rows(file: Source) -> Iterator[Header | Row | Break]:
    """A Header (an XES log without traces has none), then rows as they are read, then nothing or
    one Break. A row of XES is a trace with its events; of a table, a line. Memory is bounded by
    `file.limits`, not by the file. BadFile at once if there is no such file or no reader for it.
    """
    match source.kind(file.path):
        case "xes":
            return xes.rows(file)
        case "text":
            return delimited.rows(file)
        case "workbook":
            from states.intake import workbook  # its library is only for those who need it

            return workbook.rows(file)
