"""Decides by which names and addresses the server may be called, in place of MLflow's own rule.

MLflow compares a Host with patterns of a shell: `10.*`, its own default for addresses, is matched
by `10.1.2.3.evil.example` too, which is all that DNS rebinding needs; and it takes capitals for
another name. Here an entry is a network (`10.0.0.0/8`), which addresses alone can be in, or a name
or a pattern of names, whatever their case. Where this does not run, MLflow knows no networks:
closed.
"""

import fnmatch
import importlib.abc
import importlib.machinery
import ipaddress
import sys

MODULE, FUNCTION = "mlflow.server.security_utils", "is_allowed_host_header"


def is_allowed(allowed, host):
    """Whether one of the entries allows the header Host."""
    name, port = _parts(host.strip().lower())
    if not name or not (port == "" or port.isdecimal()):
        return False
    try:
        address = ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        address = None
    return any(_matches(entry.strip().lower(), name, port, address) for entry in allowed)


def _parts(host):
    """Name and port; an IPv6 address stands in brackets."""
    if host.startswith("["):
        name, _, rest = host.partition("]")
        return f"{name}]", rest.removeprefix(":")
    name, _, port = host.partition(":")
    return name, port


def _matches(entry, name, port, address):
    if "/" in entry:
        return address is not None and _is_in(address, entry)
    wanted, wanted_port = _parts(entry)
    if wanted_port not in ("*", port):
        return False
    if "*" not in wanted:
        return wanted == name
    # a pattern is one of names: what looks like an address is allowed by a network or in full
    return wanted == "*" or (address is None and fnmatch.fnmatchcase(name, wanted))


def _is_in(address, network):
    try:
        return address in ipaddress.ip_network(network, strict=False)
    except ValueError:
        return False  # not a network: it allows nobody


class Patch(importlib.abc.MetaPathFinder):
    """Puts a function into a module once somebody imports it: importing it here costs memory."""

    def __init__(self, module, name, function):
        self.module, self.name, self.function = module, name, function

    def find_spec(self, fullname, path=None, target=None):
        """The module's own spec, with a loader that changes the module once it has run."""
        if fullname != self.module:
            return None
        spec = importlib.machinery.PathFinder.find_spec(fullname, path, target)
        if spec is None or not hasattr(spec.loader, "exec_module"):
            return spec
        execute = spec.loader.exec_module

        def changed(module):
            execute(module)
            if not hasattr(module, self.name):
                raise ImportError(f"{self.module} has no {self.name} any more")
            setattr(module, self.name, self.function)

        spec.loader.exec_module = changed
        return spec


sys.meta_path.insert(0, Patch(MODULE, FUNCTION, is_allowed))
