"""`python -m benchmarks [--quick] [--write] [name ...]`."""

from .run import main

raise SystemExit(main())
