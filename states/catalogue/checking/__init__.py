"""The checker: what is wrong with a version of a procedure before it binds anyone. Pure."""

from states.catalogue.checking.organisation import faults as organisation_faults
from states.catalogue.checking.structure import faults

__all__ = ["faults", "organisation_faults"]
