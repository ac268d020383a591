"""The plugin's process: `python -m mlops_infra.kubeprovider ENGINE_ADDRESS`."""

from __future__ import annotations

import os
import sys

if __name__ == "__main__":
    # asked for before the imports: an engine killed during them must be noticed too
    parent = os.getppid()
    from mlops_infra.kubeprovider.server import serve

    sys.exit(serve(sys.argv[1:], parent))
