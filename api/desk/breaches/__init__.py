"""Breaches at the desk: found, grouped, compared, explained, judged and closed; and suspicions.

`asking` reads which breaches are meant; `lists` are the pages of many, `one` is of one with what is
done about it, `worth` of suspicions. `saying` has their words.
"""

from api.desk.breaches import lists, one, worth

ROUTERS = (lists.router, worth.router, one.router)
