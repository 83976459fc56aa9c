"""The nightly proof: that every projection is what its lines say, and every balance balances."""
