"""Why a file is not taken, or not given."""

from states.errors import BadInput, HosoError


class FileTooLarge(BadInput):
    """The file is larger than is taken here."""


class NotTaken(BadInput):
    """The file is of no kind that is taken."""


class BrokenOff(BadInput):
    """The file ended before it was whole: send it again."""


class StoreAway(HosoError):
    """The store of files does not answer: try again soon."""


class Spoilt(HosoError):
    """The store does not hold the file as it was handed in: tell whoever runs hoso."""
