"""What maintainer scripts and the installer would have written, written by us."""

from __future__ import annotations

from collections.abc import Iterable

from mlops_infra.images.recipe import Applets, Recipe, User
from mlops_infra.images.tree import MERGED, Entry, Tree

_AUTHORITIES = "usr/share/ca-certificates/mozilla/"
_BUNDLE = "etc/ssl/certs/ca-certificates.crt"
_OPENSSL = "usr/lib/ssl"
"""OPENSSLDIR of Debian's OpenSSL, where it looks when nothing else is configured."""


def add_system(tree: Tree) -> None:
    """Links of the merged /usr, /tmp, mount points, certificates, time zone and name lookup."""
    for top in MERGED:
        # not through Tree.add: it would move the link itself below /usr
        tree.place(top, Entry("link", 0o777, target=f"usr/{top}"))
        tree.place(f"usr/{top}", Entry("dir"))
    for folder in ("dev", "etc", "proc", "run", "sys", "var/lib", "var/log", "root", "home", "srv"):
        tree.place(folder, Entry("dir"))
    for folder in ("tmp", "var/tmp"):
        tree.place(folder, Entry("dir", 0o1777))
    for link, target in (("var/run", "/run"), ("var/lock", "/run/lock")):
        tree.place(link, Entry("link", 0o777, target=target))
    tree.place("etc/localtime", Entry("link", 0o777, target="/usr/share/zoneinfo/Etc/UTC"))
    tree.place("etc/timezone", Entry("file", 0o644, content=b"Etc/UTC\n"))
    # `files` before `dns`, or a container cannot resolve its own name without a network
    switch = b"passwd: files\ngroup: files\nshadow: files\nhosts: files dns\n"
    tree.place("etc/nsswitch.conf", Entry("file", 0o644, content=switch))
    hosts = b"127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n"
    tree.place("etc/hosts", Entry("file", 0o644, content=hosts))
    _add_authorities(tree)


def _add_authorities(tree: Tree) -> None:
    pems = [e.read() for path, e in tree.items() if path.startswith(_AUTHORITIES) and e.size]
    if not pems:
        return
    bundle = b"".join(pem if pem.endswith(b"\n") else pem + b"\n" for pem in pems)
    tree.drop([f"{_AUTHORITIES}**"])
    tree.place(_BUNDLE, Entry("file", 0o644, content=bundle))
    tree.place(f"{_OPENSSL}/cert.pem", Entry("link", 0o777, target=f"/{_BUNDLE}"))
    tree.place(f"{_OPENSSL}/certs", Entry("link", 0o777, target="/etc/ssl/certs"))


def add_users(tree: Tree, users: Iterable[User]) -> None:
    """/etc/passwd and /etc/group with root, nobody and `users`; nobody can log in."""
    everyone = [("root", 0, "/root"), *((u.name, u.id, u.home) for u in users)]
    everyone.append(("nobody", 65534, "/nonexistent"))
    passwd = "".join(f"{n}:x:{i}:{i}:{n}:{h}:/usr/sbin/nologin\n" for n, i, h in everyone)
    group = "".join(f"{'nogroup' if n == 'nobody' else n}:x:{i}:\n" for n, i, _ in everyone)
    tree.place("etc/passwd", Entry("file", 0o644, content=passwd.encode()))
    tree.place("etc/group", Entry("file", 0o644, content=group.encode()))


def add_applets(tree: Tree, applets: Applets) -> None:
    """Links to the multi-call binary for every applet that no package has brought."""
    for name in applets.names:
        path = f"{applets.folder}/{name}".lstrip("/")
        elsewhere = (f"usr/{where}/{name}" for where in ("bin", "sbin"))
        if path not in tree and not any(other in tree for other in elsewhere):
            tree.place(path, Entry("link", 0o777, target=applets.binary))


def all_users(lineage: Iterable[Recipe]) -> list[User]:
    """The users of a recipe and its bases; /etc/passwd of the top layer names them all."""
    return [user for recipe in lineage for user in recipe.users]


def add_files(tree: Tree, recipe: Recipe) -> None:
    """The folders, files and links that the recipe itself spells out."""
    for path, folder in recipe.folders.items():
        uid, _, gid = folder.owner.partition(":")
        tree.place(path, Entry("dir", int(folder.mode, 8), int(uid), int(gid)))
    for path, file in recipe.files.items():
        tree.place(path, Entry("file", int(file.mode, 8), content=file.content.encode()))
    for path, target in recipe.links.items():
        tree.place(path, Entry("link", 0o777, target=target))
