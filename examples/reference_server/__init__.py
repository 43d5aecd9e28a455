"""A small stand-in for five vendors and a shop on loopback: the cassettes of the examples are recorded offline."""
