"""The agent of a worker: a pure state (`state`, `operation`, `pace`) and a thin shell around it.

Events come through one queue to one loop; the state answers each with effects, and the loop carries them out.
"""
