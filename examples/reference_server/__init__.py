"""A small stand-in for five vendors on loopback, so that the cassettes of the examples can be recorded offline."""
