"""The event log, given out as other tools read it: XES, OCEL 2.0 and CSV, at any size.

`reading` tells what happened, a batch of dossiers at a time; `xes`, `ocel` and `delimited` write it
down and know no database; `exporting` puts the two together; `writing` keeps the whole in a file or
leaves nothing. Who worked is told by a pseudonym, and of an applicant nothing, unless somebody who
may see them says why.
"""

from states.logs.exporting import Export, Form, pieces
from states.logs.reading import Only, Seen, Source
from states.logs.telling import Names, as_they_are, pseudonyms
from states.logs.writing import NoRoom, keep

__all__ = [
    "Export",
    "Form",
    "Names",
    "NoRoom",
    "Only",
    "Seen",
    "Source",
    "as_they_are",
    "keep",
    "pieces",
    "pseudonyms",
]
