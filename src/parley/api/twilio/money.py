"""Money as Twilio writes it: text, in US dollars."""


def dollars(micro_usd: int, least_places: int = 0) -> str:
    """An amount of millionths of a US dollar, with as many places as it needs and no fewer than `least_places`."""
    whole, part = divmod(abs(micro_usd), 1_000_000)
    places = f"{part:06}".rstrip("0").ljust(least_places, "0")
    sign = "-" if micro_usd < 0 else ""
    return f"{sign}{whole}.{places}" if places else f"{sign}{whole}"
