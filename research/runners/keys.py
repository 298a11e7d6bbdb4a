"""Keys of the advisory locks, two 32-bit numbers each: what it is for, and which one."""

from typing import Final

LOCK_OPERATION: Final = 0x4B540001  # held by the process that runs an in-process operation; second key: its id
LOCK_LEADER: Final = 0x4B540002  # held by the session of the coordinator that leads; second key: 0
LOCK_COVER: Final = 0x4B540003  # shared by the listening sessions of the web processes; second key: 0


def second_key(operation_id: int) -> int:
    """Advisory locks take signed 32-bit numbers; ids wrap after two thousand million operations."""
    return operation_id % 0x7FFFFFFF
