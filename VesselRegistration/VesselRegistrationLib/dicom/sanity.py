"""The sanity report: what was read, what is missing, what was cross-checked, in plain words."""

from dataclasses import dataclass
from typing import Any, Literal

Level = Literal["ok", "amber", "red"]

_ORDER: dict[str, int] = {"ok": 0, "amber": 1, "red": 2}


@dataclass(frozen=True)
class SanityRow:
    """One line: ``ok``, ``amber`` (look at it) or ``red`` (a registration cannot use it as it is)."""

    level: Level
    item: str
    says: str
    source: str = ""


@dataclass(frozen=True)
class SanityReport:
    """All lines about one file. It never holds anything that identifies the patient."""

    rows: tuple[SanityRow, ...]

    @property
    def level(self) -> Level:
        """The worst level of all rows; ok where there is none."""
        return max((row.level for row in self.rows), key=_ORDER.__getitem__, default="ok")

    def as_text(self) -> str:
        """The report for the terminal, one line per row, columns aligned."""
        width = max((len(row.item) for row in self.rows), default=0)
        lines = []
        for row in self.rows:
            source = f"  {row.source}" if row.source else ""
            lines.append(f"[{row.level:^5}] {row.item:<{width}}  {row.says}{source}")
        return "\n".join(lines)

    def as_dict(self) -> dict[str, Any]:
        """The report for JSON: the worst level and the rows."""
        rows = [{"level": row.level, "item": row.item, "says": row.says, "source": row.source} for row in self.rows]
        return {"level": self.level, "rows": rows}
