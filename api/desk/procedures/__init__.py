"""Procedures at the desk: seen, drawn, changed as form or text, tried on history, published.

`seeing` are the pages that read, with `telling` what they say and `drawing` the lifecycle, of what
`moves` says can happen; `editing` the page that changes one, with `working` what is being changed.
"""

from api.desk.procedures.deciding import router as decides
from api.desk.procedures.editing import router as edits
from api.desk.procedures.editing import typing as types
from api.desk.procedures.seeing import router as sees

ROUTERS = (edits, types, decides, sees)
