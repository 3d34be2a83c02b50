"""docs/compat/signalwire-swml.csv, by what its rows are about."""

import csv
from pathlib import Path
from typing import Final

TABLE: Final = Path(__file__).parents[4] / "docs" / "compat" / "signalwire-swml.csv"
with TABLE.open(encoding="utf-8", newline="") as file:
    ROWS: Final = list(csv.DictReader(file))
LIMITS: Final = [row for row in ROWS if row["parameter"].startswith("more than ")]
STEPS: Final = [row for row in ROWS if row not in LIMITS and not row["operation"].startswith("POST ")]
"""Of methods, and their parameters."""
REFUSED: Final = {
    kind: [
        row["operation"].partition(" ")[2]
        for row in STEPS
        if row["parameter"] == "*" and row["operation"].startswith(kind)
    ]
    for kind in ("messaging", "calling")
}
"""The methods that are not carried out."""
