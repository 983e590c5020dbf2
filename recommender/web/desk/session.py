"""Who is at the desk: a signed cookie that names a key, good for a few hours and as long as the key is.

Nothing is kept on the server but the secret that signs, so every worker knows every session.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import hmac
import json
import os
import secrets
import stat
from dataclasses import asdict, dataclass, replace
from typing import Any

from recommender.disk import replace_synced
from recommender.errors import KeysError
from recommender.home import Home

IDLE_SECONDS = 2 * 3600
MOST_SECONDS = 12 * 3600
RENEWED_AFTER_SECONDS = 300
_MAX_COOKIE_CHARS = 1_000
_SECRET_BYTES = 32


@dataclass(frozen=True, slots=True)
class Session:
    """One login, or a visitor before it.

    Attributes:
        token: random; the CSRF token of its forms is made of it.
        key: which key opened it, as ``keys.key_id`` has it; empty before a login.
        began_at, seen_at: seconds since 1970.
    """

    token: str
    key: str
    began_at: int
    seen_at: int

    @classmethod
    def new(cls, key: str, now: int) -> Session:
        """Return a session that begins now; every login has a new one."""
        return cls(secrets.token_urlsafe(18), key, now, now)

    def seen(self, now: int) -> Session:
        """Return the session as of a later request."""
        return replace(self, seen_at=now)

    def is_over(self, now: int) -> bool:
        """Tell whether it was left alone for two hours, or began twelve hours ago."""
        return not (0 <= now - self.seen_at < IDLE_SECONDS and 0 <= now - self.began_at < MOST_SECONDS)


def secret_of(home: Home) -> bytes:
    """Return what signs the sessions of a home; it is made when it is first needed, for its owner's eyes only.

    Raises:
        KeysError: others may read it, it is damaged, or it cannot be made.
        BusyError: another process is making it.
    """
    with contextlib.suppress(FileNotFoundError):
        return _read(home)
    with home.keyholder():
        with contextlib.suppress(FileNotFoundError):
            return _read(home)
        made = secrets.token_bytes(_SECRET_BYTES)
        try:
            replace_synced(home.desk_secret, made, mode=0o600)
        except OSError as error:
            raise KeysError(f"{home.desk_secret}: could not be written ({error.strerror})") from error
        return made


def _read(home: Home) -> bytes:
    path = home.desk_secret
    try:
        with path.open("rb") as stream:
            mode = stat.S_IMODE(os.fstat(stream.fileno()).st_mode)
            raw = stream.read(_SECRET_BYTES + 1)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise KeysError(f"{path}: cannot be read ({error.strerror})") from error
    if mode & ~0o600:
        raise KeysError(f"{path}: others may read or write it (mode {mode:o}); remove it, and everybody logs in again")
    if len(raw) != _SECRET_BYTES:
        raise KeysError(f"{path}: is damaged; remove it, and everybody logs in again")
    return raw


def sealed(session: Session, secret: bytes) -> str:
    """Return a session as the value of a cookie."""
    body = base64.urlsafe_b64encode(json.dumps(asdict(session)).encode()).decode()
    return f"{body}.{_mac(secret, 'session', body)}"


def unsealed(cookie: str, secret: bytes) -> Session | None:
    """Return the session of a cookie; None where it was not sealed here."""
    body, _, mac = cookie.rpartition(".")
    if (
        len(cookie) > _MAX_COOKIE_CHARS
        or not cookie.isascii()
        or not hmac.compare_digest(mac, _mac(secret, "session", body))
    ):
        return None
    fields: dict[str, Any] = json.loads(base64.urlsafe_b64decode(body))
    return Session(**fields)


def form_token(session: Session, secret: bytes) -> str:
    """Return what every form of a session carries, so that no other site's form is taken for one of ours."""
    return _mac(secret, "form", f"{session.token} {session.key}")


def _mac(secret: bytes, purpose: str, text: str) -> str:
    return hmac.new(secret, f"{purpose} {text}".encode(), hashlib.sha256).hexdigest()
