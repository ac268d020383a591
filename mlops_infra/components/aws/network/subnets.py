"""How a VPC's addresses are divided into subnets."""

from __future__ import annotations

import ipaddress

SUBNET_BITS = 4
"""Of the VPC's addresses for the subnet's number: sixteen subnets."""
PUBLIC_FROM = 8
"""Public subnets take the upper half of the numbers."""
SMALLEST = 28
"""AWS's smallest subnet."""


def subnet_range(cidr: str, number: int) -> str:
    """Addresses of subnet `number` (0 to 15) of a VPC."""
    whole = ipaddress.IPv4Network(cidr)
    prefix = min(whole.prefixlen + SUBNET_BITS, SMALLEST)
    size = 2 ** (32 - prefix)
    return f"{whole.network_address + number * size}/{prefix}"
