"""Many workers from one asynchronous process: they speak the real protocol, but compute nothing."""
