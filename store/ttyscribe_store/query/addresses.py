# SPDX-License-Identifier: Apache-2.0
"""Addresses of both families in one order, as the engines have it: those of IPv4 are IPv6's mapped ones; pure."""

from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address

_SIZE = 16
_MAPPED = b"\0" * 10 + b"\xff\xff"


def packed(text: str) -> bytes | None:
    """An address as 16 bytes that order rightly; none where it is no address."""
    try:
        return _wide(ip_address(text).packed)
    except ValueError:
        return None


def bounds(network: IPv4Network | IPv6Network) -> tuple[bytes, bytes]:
    """The first and the last address of a network."""
    return _wide(network.network_address.packed), _wide(network.broadcast_address.packed)


def texts(network: IPv4Network | IPv6Network) -> tuple[str, str]:
    """The same as text. The engines refuse mapped addresses and their networks: these are given as IPv4's."""
    first, last = (_text(IPv6Address(address)) for address in bounds(network))
    return first, last


def _text(address: IPv6Address) -> str:
    return str(address.ipv4_mapped or address)


def _wide(address: bytes) -> bytes:
    return address if len(address) == _SIZE else _MAPPED + address
