# ruff: noqa: INP001 - a script of its own
"""Writes src/parley/lib/nanp_places.tsv: the places of the North American Numbering Plan, from phonenumbers' geocoder.

The geocoder itself costs 140 MB and seconds to import; the server needs only this part of it. Run again whenever the
locked phonenumbers changes: `python tools/nanp_places.py`.
"""

from collections import defaultdict
from pathlib import Path

from phonenumbers.geodata import GEOCODE_DATA

TARGET = Path(__file__).parent.parent / "src" / "parley" / "lib" / "nanp_places.tsv"

STATES = {
    "Alabama": "AL",
    "Alaska": "AK",
    "Alberta": "AB",
    "Arizona": "AZ",
    "Arkansas": "AR",
    "British Colombia": "BC",  # so spelt in the data
    "British Columbia": "BC",
    "California": "CA",
    "Colorado": "CO",
    "Connecticut": "CT",
    "Delaware": "DE",
    "Florida": "FL",
    "Georgia": "GA",
    "Hawaii": "HI",
    "Idaho": "ID",
    "Illinois": "IL",
    "Indiana": "IN",
    "Iowa": "IA",
    "Kansas": "KS",
    "Kentucky": "KY",
    "Louisiana": "LA",
    "Maine": "ME",
    "Manitoba": "MB",
    "Maryland": "MD",
    "Massachusetts": "MA",
    "Michigan": "MI",
    "Minnesota": "MN",
    "Mississippi": "MS",
    "Missouri": "MO",
    "Montana": "MT",
    "Nebraska": "NE",
    "Nevada": "NV",
    "New Brunswick": "NB",
    "New Hampshire": "NH",
    "New Jersey": "NJ",
    "New Mexico": "NM",
    "New York": "NY",
    "Newfoundland and Labrador": "NL",
    "North Carolina": "NC",
    "North Dakota": "ND",
    "Northwest Territories/Nunavut/Yukon": "NT",
    "Nova Scotia/Prince Edward Island": "NS",
    "Ohio": "OH",
    "Oklahoma": "OK",
    "Ontario": "ON",
    "Oregon": "OR",
    "Pennsylvania": "PA",
    "Quebec": "QC",
    "Rhode Island": "RI",
    "Saskatchewan": "SK",
    "South Carolina": "SC",
    "South Dakota": "SD",
    "Tennessee": "TN",
    "Texas": "TX",
    "Utah": "UT",
    "Vermont": "VT",
    "Virginia": "VA",
    "Washington State": "WA",
    "West Virginia": "WV",
    "Wisconsin": "WI",
    "Wyoming": "WY",
}


def place_of(description: str) -> tuple[str, str]:
    """City and state of a description: "San Francisco, CA", "California", "Washington D.C.", "Nassau"."""
    if description == "Washington D.C.":
        return "WASHINGTON", "DC"
    if description in STATES:
        return "", STATES[description]
    city, comma, state = description.rpartition(", ")
    if not comma:
        return description.upper(), ""
    return city.rpartition(", ")[2].upper(), state


def write() -> None:
    """One line a place: city, state, and the prefixes (calling code included) of its numbers."""
    prefixes: dict[tuple[str, str], list[str]] = defaultdict(list)
    for prefix, names in sorted(GEOCODE_DATA.items()):
        if prefix.startswith("1") and "en" in names:
            prefixes[place_of(names["en"])].append(prefix)
    lines = (f"{city}\t{state}\t{' '.join(of)}\n" for (city, state), of in sorted(prefixes.items()))
    TARGET.write_text("".join(lines), "utf-8")


if __name__ == "__main__":
    write()
