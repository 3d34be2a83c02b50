"""What an account may do that costs: to which countries it writes, and for how much."""

import msgspec


class Allowance(msgspec.Struct, frozen=True):
    """None means as the server's settings have it."""

    countries: tuple[str, ...] | None = None
    """ISO 3166-1 codes of the countries whose numbers it may write to; with none, it writes to nobody."""
    credit: int | None = None
    """Millionths of a US dollar that it may spend in all, with its subaccounts."""
