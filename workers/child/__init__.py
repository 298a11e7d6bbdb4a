"""The child process of one operation: it runs the engine and dies with its agent."""
