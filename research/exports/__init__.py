"""A research as files: everything that was found, and what makes it again elsewhere."""

from __future__ import annotations

from research.exports.contents import files, names_of

__all__ = ["files", "names_of"]
