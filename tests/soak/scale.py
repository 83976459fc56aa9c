"""How much is lived through, and by which seed: by environment variables, or as a whole."""

import os
import secrets
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Scale:
    """`twin`: one dossier in so many is lived through a second time, undisturbed."""

    size: int
    days: int
    seed: int
    twin: int

    def __str__(self) -> str:
        return (
            f"HOSO_TEST_SOAK_SEED={self.seed} HOSO_TEST_SOAK_SIZE={self.size}"
            f" HOSO_TEST_SOAK_DAYS={self.days} HOSO_TEST_SOAK_TWIN={self.twin}"
        )


def asked() -> Scale:
    """What the environment says; without a seed a new one."""

    def number(name: str, usual: int) -> int:
        return int(os.environ.get(f"HOSO_TEST_SOAK_{name}") or usual)

    return Scale(
        size=number("SIZE", 20_000),
        days=number("DAYS", 90),
        seed=number("SEED", secrets.randbelow(10**6)),
        twin=number("TWIN", 10),
    )
