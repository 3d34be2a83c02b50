# ruff: noqa: INP001 - a script of its own
"""Writes src/parley/lib/country_names.tsv: the English names of countries, from phonenumbers' geocoder.

Run again whenever the locked phonenumbers changes: `python tools/country_names.py`.
"""

from pathlib import Path

from phonenumbers import SUPPORTED_REGIONS
from phonenumbers.geodata.locale import LOCALE_DATA

TARGET = Path(__file__).parent.parent / "src" / "parley" / "lib" / "country_names.tsv"
NEWER = {
    "AC": "Ascension Island",
    "CD": "Democratic Republic of the Congo",
    "MK": "North Macedonia",
    "SZ": "Eswatini",
    "TA": "Tristan da Cunha",
    "XK": "Kosovo",
}
"""What the data lacks, or has by a former name."""


def name_of(country: str, language: str = "en") -> str:
    """The name in a language, which the data may give by pointing to another (`*aa`)."""
    name: str = LOCALE_DATA[country][language]
    return name_of(country, name[1:]) if name.startswith("*") else name


def write() -> None:
    """One line a country that has phone numbers: its code of ISO 3166-1 and its name."""
    names = {country: NEWER.get(country) or name_of(country) for country in sorted(SUPPORTED_REGIONS)}
    lines = "".join(f"{country}\t{name}\n" for country, name in names.items())
    TARGET.write_text(lines, "utf-8")


if __name__ == "__main__":
    write()
