"""Why somebody is not let in, or not further."""

from states.errors import BadInput, HosoError


class WrongCredentials(HosoError):
    """The id or the password is wrong, or the account rests for a while after many attempts."""


class SessionEnded(HosoError):
    """The session has ended: sign in again."""


class WeakPassword(BadInput):
    """The password would not do."""


class WrongPassword(BadInput):
    """The old password is wrong, or the account rests for a while."""


class PasswordDue(HosoError):
    """The one-time password is to be changed before anything else."""


class OutOfScope(HosoError):
    """The service key was not made for this."""


class NoAccount(HosoError):
    """Nobody here is known by that identity."""


class NotVouched(HosoError):
    """What the provider of identities answered proves nothing."""


class ProviderAway(HosoError):
    """The provider of identities does not answer."""


class AccountExists(HosoError):
    """The person has an account already."""
