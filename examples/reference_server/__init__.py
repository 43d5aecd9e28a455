"""A small stand-in for five vendors and a web shop on loopback, so that the cassettes of the examples can be recorded offline."""
