"""Calendars at the desk: a year at a glance, a day decided otherwise, and change sets.

`changing` goes first: "changes" is no calendar's name.
"""

from api.desk.calendars.changing import router as changes
from api.desk.calendars.deciding import router as decides
from api.desk.calendars.seeing import router as sees

ROUTERS = (changes, sees, decides)
