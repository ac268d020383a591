"""What this machine can do at best: hashing, writing, sockets. Ratios are read beside these."""

from __future__ import annotations

import hashlib
import os
import socket
import tempfile
import threading
import time
from pathlib import Path

_SIZE = 256 << 20
_BLOCK = 1 << 20


def limits(folder: Path) -> dict[str, float]:
    """MB/s of SHA-256 on one core, of writing a file below `folder`, of sendfile over loopback."""
    return {
        "sha256_mb_s": round(_hashing(), 0),
        "disk_write_mb_s": round(_writing(folder), 0),
        "loopback_sendfile_mb_s": round(_sending(folder), 0),
        "cores": float(os.cpu_count() or 1),
    }


def _rate(seconds: float) -> float:
    return _SIZE / seconds / 1e6


def _hashing() -> float:
    block, digest = os.urandom(_BLOCK), hashlib.sha256()
    begun = time.perf_counter()
    for _ in range(_SIZE // _BLOCK):
        digest.update(block)
    return _rate(time.perf_counter() - begun)


def _writing(folder: Path) -> float:
    block = os.urandom(_BLOCK)
    with tempfile.TemporaryFile(dir=folder, buffering=0) as file:
        begun = time.perf_counter()
        for _ in range(_SIZE // _BLOCK):
            file.write(block)
        os.fsync(file.fileno())
        return _rate(time.perf_counter() - begun)


def _sending(folder: Path) -> float:
    with tempfile.TemporaryFile(dir=folder) as file, socket.create_server(("127.0.0.1", 0)) as door:
        block = os.urandom(_BLOCK)
        for _ in range(_SIZE // _BLOCK):
            file.write(block)
        file.flush()

        def drain() -> None:
            accepted, _ = door.accept()
            buffer = bytearray(_BLOCK)
            with accepted:
                while accepted.recv_into(buffer):
                    pass

        reader = threading.Thread(target=drain)
        reader.start()
        with socket.create_connection(door.getsockname()) as sender:
            begun = time.perf_counter()
            sender.sendfile(file, 0, _SIZE)
            sender.shutdown(socket.SHUT_WR)
            reader.join()
            return _rate(time.perf_counter() - begun)
