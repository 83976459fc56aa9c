"""Reports at the desk: chosen, seen as tables and charts, opened to their dossiers, frozen.

`choosing` reads which period and agency, `showing` lays a paper out as tables in the words of its
reader (`naming`), `drawn` gives its charts; `pages` and `frozen` are the doors.
"""

from api.desk.reports import frozen, pages

ROUTERS = (frozen.router, pages.router)  # "frozen" is no report's name
