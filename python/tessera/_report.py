"""What calls found, as text for people and as data."""
from __future__ import annotations

import json
from typing import Any


class Report:
    """What a call found: `text` is the table that the command prints, `data` the same as dictionaries and lists.

    `print(report)` prints the text; `report["predicted"]` is `report.data["predicted"]`.
    """

    def __init__(self, text: str, data: str) -> None:
        self.text = text
        self._json = data

    @property
    def data(self) -> Any:
        """Made anew from JSON at every access, so that it may be changed."""
        return json.loads(self._json)

    def __getitem__(self, key: Any) -> Any:
        return self.data[key]

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return f"<Report: {(self.text.splitlines() or [''])[0].strip()}>"
