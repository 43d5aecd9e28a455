"""Collected in an environment of its own only: where niquests is not installed, there is nothing to see here."""

from __future__ import annotations

from importlib.util import find_spec

collect_ignore_glob = [] if find_spec("niquests") else ["test_*.py"]
