"""Which addresses may be asked: http(s) urls without credentials, at machines that are open to everybody. Pure functions."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Collection
from typing import NamedTuple
from urllib.parse import quote, urljoin, urlsplit, urlunsplit

from recommender.errors import FetchRefusedError

MAX_URL_CHARS = 4096
_PORTS = {"http": 80, "https": 443}
# What may stand in a path or query as it is; an escape that is there already stays one.
_KEPT = "%/:=&?~+!$,;'@()*[]|"
_BLANK = re.compile(r"[\x00-\x20\x7f-\xa0\u2028\u2029\ud800-\udfff]")
_HOST = re.compile(r"[a-z0-9_]([a-z0-9_.-]{0,251}[a-z0-9_])?\.?|[0-9a-f:.]{2,45}")

_CLOSED_4 = [
    ipaddress.IPv4Network(network)
    for network in (
        *("0.0.0.0/8", "169.254.0.0/16", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "198.18.0.0/15"),
        *("198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4"),
    )
]
_HOUSE_4 = [
    ipaddress.IPv4Network(network)
    for network in ("10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")
]
_OPEN_6 = ipaddress.IPv6Network("2000::/3")
_CLOSED_6 = [
    ipaddress.IPv6Network(network) for network in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")
]  # fmt: skip
_HOUSE_6 = [ipaddress.IPv6Network(network) for network in ("::1/128", "fc00::/7")]
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


class Target(NamedTuple):
    """Where a request goes: ``path`` with its query, as it stands in the request; ``url`` all of it again, without fragment."""

    scheme: str
    host: str
    port: int
    path: str
    url: str

    @property
    def origin(self) -> str:
        """Scheme, host and, where it is not the usual one, port."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}" + ("" if self.port == _PORTS[self.scheme] else f":{self.port}")


def target(url: str, ports: Collection[int] = ()) -> Target:
    """Return where ``url`` leads.

    A host in another script is written as DNS knows it, everything else that a request cannot hold is percent-encoded.

    Args:
        url: absolute.
        ports: the only ones that may be asked; empty for any.

    Raises:
        FetchRefusedError: it is no http(s) address, carries a user or password, or names another port. The message never
            holds what stands before an @.
    """
    shown = shown_url(url)
    if len(url) > MAX_URL_CHARS:
        raise FetchRefusedError(f"{shown[:80]}…: an address has at most {MAX_URL_CHARS:,} characters")
    try:
        parts = urlsplit(_BLANK.sub(lambda found: quote(found[0].encode("utf-8", "replace")), url.strip()))
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise FetchRefusedError(f"{shown}: is no address that can be read") from None
    if parts.scheme not in _PORTS:
        raise FetchRefusedError(f"{shown}: is no http(s) address")
    if "@" in parts.netloc:
        raise FetchRefusedError(f"{shown}: holds a user or password; only pages that are open to everybody are fetched")
    port = _PORTS[parts.scheme] if port is None else port
    if port == 0 or (ports and port not in ports):
        listed = ", ".join(map(str, sorted(ports)))
        raise FetchRefusedError(f"{shown}: port {port} is not among fetch.ports ({listed})")
    found = Target(parts.scheme, _ascii_host(host, shown), port, "", "")
    path = (quote(parts.path, safe=_KEPT) or "/") + (f"?{quote(parts.query, safe=_KEPT)}" if parts.query else "")
    return found._replace(path=path, url=found.origin + path)


def joined(base: str, location: str) -> str:
    """Return where a redirect leads. Raises FetchRefusedError where that is no address."""
    try:
        return urljoin(base, location.strip())
    except ValueError:
        raise FetchRefusedError(f"{shown_url(base)}: sends on to what is no address") from None


def shown_url(url: str) -> str:
    """Return an address for messages and logs: without user and password, and not endless."""
    try:
        parts = urlsplit(url)
        if "@" in parts.netloc:
            url = urlunsplit(parts._replace(netloc="…@" + parts.netloc.rpartition("@")[2]))
    except ValueError:
        url = re.sub(r"//.*@", "//…@", url)
    url = _BLANK.sub("�", url)
    return url if len(url) <= 300 else f"{url[:299]}…"


def refusal_of(address: str, *, allow_private: bool) -> str | None:
    """Return why a machine with this IP address must not be asked, None where it may.

    Addresses that carry another one (IPv4-mapped, NAT64) are judged by that. What is private, shared or loopback is
    open with ``allow_private``; link-local (where clouds keep their credentials), multicast and reserved ones never are.
    """
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return "is no IP address"
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped is not None:
            ip = ip.ipv4_mapped
        elif ip in _NAT64:
            ip = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
    if isinstance(ip, ipaddress.IPv4Address):
        house = any(ip in network for network in _HOUSE_4)
        closed = any(ip in network for network in _CLOSED_4)
    else:
        house = any(ip in network for network in _HOUSE_6)
        closed = not house and (ip not in _OPEN_6 or any(ip in network for network in _CLOSED_6))
    if house and not allow_private:
        return "is inside the house (private or loopback); --allow-private opens it"
    return "is link-local, multicast or reserved" if closed else None


def _ascii_host(host: str, shown: str) -> str:
    try:
        written = host.encode("ascii" if host.isascii() else "idna").decode().lower()
    except UnicodeError:
        written = ""
    if not _HOST.fullmatch(written) or ".." in written:
        raise FetchRefusedError(f"{shown}: names no machine that can be asked")
    return written
