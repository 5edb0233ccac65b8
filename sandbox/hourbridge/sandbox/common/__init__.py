"""What all stand-ins share: a movable clock, faults on demand, limits, a log and the server."""
