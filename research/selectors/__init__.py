"""What pages, the API and commands read: derived from rows and the database's clock, never stored."""
