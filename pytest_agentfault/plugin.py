"""The pytest side: light by rule, it imports pytest and the standard library only."""
