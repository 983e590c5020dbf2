"""Where a request comes from. A header says so only as far as the proxies in front of us are known."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

_MAX_CHARS = 60  # of an address with its zone and port


def client(environ: Mapping[str, Any], n_proxies: int) -> str:
    """Return the network of whoever asks: an IPv4 address, or the first 64 bits of an IPv6 one, which one household has.

    Args:
        environ: of the request.
        n_proxies: how many of our own proxies it came through. Each puts who asked it at the end of ``X-Forwarded-For``, so that
            the last but ``n_proxies - 1`` is what the outermost has seen; what stands before it anybody may have written. With
            0, or where it is missing or no address, it is the other end of the connection.
    """
    connected = str(environ.get("REMOTE_ADDR", ""))
    if n_proxies:
        hops = str(environ.get("HTTP_X_FORWARDED_FOR", "")).rsplit(",", n_proxies)[-n_proxies:]
        if len(hops) == n_proxies and (told := _network(hops[0].strip()[:_MAX_CHARS])):
            return told
    return _network(connected[:_MAX_CHARS]) or connected


@lru_cache(maxsize=4096)
def _network(text: str) -> str | None:
    if text.startswith("["):  # [2001:db8::1]:443
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:  # 192.0.2.1:443
        text = text.partition(":")[0]
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        return None
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped is None:
            return str(ipaddress.IPv6Address(int(found) >> 64 << 64)) + "/64"
        found = found.ipv4_mapped
    return str(found)
