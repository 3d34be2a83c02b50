"""Writes docs/settings.md from the settings themselves: `python -m tests.docs.settings_page`."""

from pathlib import Path
from typing import Final

from parley.settings import describe

PAGE: Final = Path(__file__).resolve().parents[2] / "docs" / "settings.md"
HEAD: Final = """\
# Settings

<!-- Written by `python -m tests.docs.settings_page`; change src/parley/settings.py instead. -->

Each setting is a flag of `parley serve` (`--public-url`), an environment variable (`PARLEY_PUBLIC_URL`) and a key of
the TOML file that `PARLEY_CONFIG` names (`public_url`). A flag beats the environment, which beats the file. The other
commands read the environment and the file.

| Setting | Meaning | Default |
|---|---|---|
"""


def page() -> str:
    """The page as it should be."""
    return HEAD + "".join(
        f"| `{name}` | {_cell(meaning)} | {f'`{default}`' if default else ''} |\n"
        for name, meaning, default in describe()
    )


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
