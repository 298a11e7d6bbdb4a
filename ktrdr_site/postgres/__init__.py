"""Django's PostgreSQL engine, which also calls a session that PostgreSQL ended for standing still a lost one."""
