"""
How fast it is, measured against what its users have otherwise.

One file per benchmark, named after what it measures, with a function `rows(quick)`;
the file is the registration. `python -m benchmarks` runs them.
"""
