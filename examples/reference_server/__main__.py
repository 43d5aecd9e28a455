"""Serve until interrupted: `python -m reference_server [port]`, to look at the replies with curl."""

from __future__ import annotations

import sys
import threading

from .server import VENDORS, running

with running(int(sys.argv[1]) if len(sys.argv) > 1 else 8765) as base:
    for prefix, (site, _) in VENDORS.items():
        print(f"{base}/{prefix}  in the place of  {site}", flush=True)
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        print("stopped")
