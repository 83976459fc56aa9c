"""People at the desk: units and who is in them, who acts for whom, who is away; and accounts.

`publishing` goes first: "draft" and "text" are no person's id.
"""

from api.desk.people.accounts import router as accounts
from api.desk.people.changing import router as changes
from api.desk.people.publishing import router as publishes
from api.desk.people.seeing import router as sees

ROUTERS = (publishes, sees, changes, accounts)
