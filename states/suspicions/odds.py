"""How seldom so many would be chance. Pure."""

from math import exp, inf, lgamma, log, log1p

SMALL = 1e-17  # of the sum so far: what follows adds nothing that a float could hold


def at_least(hits: int, of: int, rate: float) -> float:
    """The probability of that many hits or more among `of`, each being one with that rate.

    The tail of the binomial distribution, summed from its larger end.
    """
    if hits <= 0:
        return 1.0
    if hits > of or rate <= 0.0:
        return 0.0
    if rate >= 1.0:
        return 1.0
    if hits <= of * rate:
        return max(0.0, 1.0 - _summed(hits - 1, of, rate, -1))
    return min(1.0, _summed(hits, of, rate, 1))


def _summed(first: int, of: int, rate: float, step: int) -> float:
    """The terms from one on, away from the middle of the distribution."""
    total, n = 0.0, first
    while 0 <= n <= of:
        term = exp(_log(n, of, rate))
        total += term
        if term <= total * SMALL:
            break
        n += step
    return total


def _log(n: int, of: int, rate: float) -> float:
    """The logarithm of the probability of exactly n."""
    if not 0 <= n <= of:
        return -inf
    ways = lgamma(of + 1) - lgamma(n + 1) - lgamma(of - n + 1)
    return ways + n * log(rate) + (of - n) * log1p(-rate)
