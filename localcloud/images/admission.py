"""Who is answered at a loopback port: programs, and pages of the laptop's own cloud; no other web page.

A page in the developer's browser can send requests to 127.0.0.1, and to a name of its own that resolves
there. Both are told by headers that a page cannot forge: `Host`, `Origin`, `Referer` and `Sec-Fetch-Site`.
The module is in this folder because the images' programs see nothing else of the project.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from urllib.parse import urlsplit

FOREIGN_SITES = ("cross-site", "same-site")
"""What `Sec-Fetch-Site` says of a page of another origin; `same-site` is another port of this machine."""

_LOOPBACK = re.compile(r"(?:[\w-]+\.)*localhost|127(?:\.\d{1,3}){3}|\[::1\]", re.IGNORECASE)
_HOST = re.compile(rf"(?:{_LOOPBACK.pattern})(?::\d+)?", re.IGNORECASE)


def refusal(
    headers: Mapping[str, str], *, own_ports: Collection[int] = (), links: bool = False
) -> str | None:
    """Return why a request is refused with 403, or None.

    Parameters
    ----------
    headers
        Names in lower case.
    own_ports
        Ports whose pages are this cloud's own: they may ask.
    links
        Whether a link on another page may lead here: a top-level GET of a browser.
    """
    host = headers.get("host", "")
    if not _HOST.fullmatch(host):
        return f"Host {host!r} is no name of this machine: use localhost or 127.0.0.1"
    page = headers.get("origin") or headers.get("referer")
    site = headers.get("sec-fetch-site")
    if page is None and site not in FOREIGN_SITES:
        return None
    if page is not None and is_own_page(page, own_ports):
        return None
    navigates = headers.get("sec-fetch-mode") == "navigate" and "origin" not in headers
    if links and navigates:
        return None
    return f"a page of {page or 'another origin'} may not ask the laptop's cloud"


def is_own_page(address: str, own_ports: Collection[int]) -> bool:
    """Whether an origin, or a page's address, is served at one of the ports of this machine."""
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        return False
    host = parts.netloc.rpartition("@")[2].removesuffix(f":{port}")
    return parts.scheme in ("http", "https") and port in own_ports and bool(_LOOPBACK.fullmatch(host))
