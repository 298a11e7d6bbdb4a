"""Benchmarks: what KTRDR reaches on this machine, beside what it should reach."""
