"""What an agent is told when it starts."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

if TYPE_CHECKING:
    from pathlib import Path

    from workers.protocol import Kind


@dataclass(frozen=True, slots=True)
class Settings:
    """`drain_s` in seconds; `incarnation` is new for each start."""

    name: str
    kinds: tuple[Kind, ...]
    url: str
    data_dir: Path
    token: str = field(repr=False)
    drain_s: float = 10.0
    incarnation: UUID = field(default_factory=uuid4)

    @property
    def spool_dir(self) -> Path:
        return self.data_dir / "spool" / self.name

    @property
    def cache_dir(self) -> Path:
        return self.data_dir / "cache"
