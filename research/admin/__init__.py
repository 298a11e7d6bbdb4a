"""Django's admin: everything can be looked at, nothing can be typed over; actions are those of the services."""

from research.admin import accounts, records, researches, system, workers

__all__ = ["accounts", "records", "researches", "system", "workers"]
