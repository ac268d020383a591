"""Brings everything that is no image into a bundle: charts, wheels, plugins, binaries, files.

What the lock's makers need is here as well: the deterministic archive of a chart (`archive`), of
this program (`program_wheel`) and of a plugin (`plugin_archive`), so that the digest in the lock
and the bytes in the bundle come from one function.
"""

from __future__ import annotations

from offline_bundle.pack.charts import archive
from offline_bundle.pack.packing import pack
from offline_bundle.pack.plugins import plugin_archive
from offline_bundle.pack.program import program_wheel
from offline_bundle.pack.sbom import document

__all__ = ["archive", "document", "pack", "plugin_archive", "program_wheel"]
