"""The only code that changes state: conditional updates, each in one transaction with its event."""
