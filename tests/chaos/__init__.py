"""Chaos: many researches at once while every process of KTRDR is killed, frozen and cut off at random.

Not collected by pytest: `make chaos SEED=1 KILLS=300`, and a short one in `tests/acceptance/chaos`.
"""
