"""Who gets in: the form that takes a key, the session, and the token on every form. Readers never get a cookie."""

from __future__ import annotations

import hmac
import logging
import time
from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, Response, current_app, g, make_response, redirect, render_template, request, url_for
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as BaseResponse

from recommender.errors import InputError, QueryError, RecommenderError
from recommender.home import Home
from recommender.keys import Keys, key_id
from recommender.web.api import settings
from recommender.web.desk.session import (
    MOST_SECONDS,
    RENEWED_AFTER_SECONDS,
    Session,
    form_token,
    sealed,
    secret_of,
    unsealed,
)
from recommender.web.limits import Limits
from recommender.web.refusals import refusal

log = logging.getLogger(__name__)

desk = Blueprint("desk", __name__, url_prefix="/desk")

SCOPE = "desk"
_COOKIE = "desk"
_OPEN = ("desk.enter", "desk.log_in")
_MAX_KEY_CHARS = 200
_CSP = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)


@desk.before_request
def _let_in() -> BaseResponse | None:
    """Send whoever has no session to the form; take no form that is not ours."""
    g.desk_secret = secret_of(home())
    g.session = _session()
    g.desk_name = keys().holder(g.session.key, SCOPE) if g.session.key else None
    if request.method == "POST":
        _check_form()
    if request.endpoint in _OPEN or g.desk_name is not None:
        return None
    if request.method != "GET":
        return redirect(url_for("desk.enter"), 303)
    return redirect(url_for("desk.enter", next=request.full_path.rstrip("?")), 303)


@desk.after_request
def _close(response: Response) -> Response:
    """Let nobody keep a page of the desk, frame it, or run anything in it; lengthen the session."""
    response.headers.setdefault("Content-Security-Policy", _CSP)
    response.headers["Cache-Control"] = "no-store"
    response.headers["Referrer-Policy"] = "same-origin"
    response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
    response.headers["X-Frame-Options"] = "DENY"
    if (session := g.get("session")) is not None and g.get("renewed"):
        response.set_cookie(
            _COOKIE,
            sealed(session, g.desk_secret),
            max_age=MOST_SECONDS,
            path=f"{request.script_root}/desk",
            secure=_is_https(),
            httponly=True,
            samesite="Strict",
        )
    return response


def home() -> Home:
    """Return whose desk it is."""
    return Home(settings().home)


def keys() -> Keys:
    """Return the keys that open it."""
    held: Keys = current_app.extensions["recommender.keys"]
    return held


def page(template: str, status: int = 200, **shown: Any) -> Response:
    """Return a page of the desk."""
    common = {"who": g.get("desk_name"), "form_token": form_token(g.session, g.desk_secret)}
    return make_response(render_template(f"desk/{template}", status=status, **common, **shown), status)


@desk.get("/login")
def enter() -> BaseResponse:
    """Show the form that takes a key."""
    if g.desk_name is not None:
        return redirect(_onward(), 303)
    return _form()


@desk.post("/login")
def log_in() -> BaseResponse:
    """Begin a session for whoever shows a key of the desk."""
    given = request.form.get("key", "").strip()[:_MAX_KEY_CHARS]
    name = keys().check(given, SCOPE)
    if name is None:
        _note_wrong_key()
        return _form("That is no key of the desk. It begins with nrk_ and is shown once, by whoever made it.", 401)
    g.session, g.renewed = Session.new(key_id(given), _now()), True
    return redirect(_onward(), 303)


def _note_wrong_key() -> None:
    """Take note of a key that is none, in the log and by address. Raises RateLimitedError where there were too many."""
    log.warning("a key that is none was shown at the desk")
    limits: Limits = current_app.extensions["recommender.limits"]
    limits.count_address("wrong_keys", request.environ)


@desk.post("/logout")
def log_out() -> BaseResponse:
    """End the session."""
    g.session, g.renewed = Session.new("", _now()), True
    return redirect(url_for("desk.enter"), 303)


@desk.errorhandler(RecommenderError)
def _refused(error: RecommenderError) -> Response:
    if type(error) is InputError:  # what was asked of the desk cannot be done
        return _problem(str(error), 400)
    told = refusal(error)
    return _problem(told.message, told.status, told.suggestions)


@desk.errorhandler(HTTPException)
def _http_error(error: HTTPException) -> Response:
    return _problem(error.description or error.name, error.code or 500)


@desk.errorhandler(Exception)
def _failed(error: Exception) -> Response:
    log.exception("an unforeseen error", exc_info=error)
    return _problem("An unforeseen error; the service's log has the details.", 500)


def _problem(message: str, status: int, suggestions: Any = ()) -> Response:
    if g.get("session") is None:  # whoever it is, nothing is known of them
        return make_response(message, status, {"Content-Type": "text/plain; charset=utf-8"})
    return page("problem.html", status, problem=message, suggestions=suggestions)


def _form(problem: str = "", status: int = 200) -> Response:
    hint = "" if len(keys()) else "This home has no keys yet. Run: recommender keys add NAME --scope desk"
    return page("login.html", status, problem=problem, hint=hint, onward=request.values.get("next", ""))


def _onward() -> str:
    """Return where a login leads: to the page of the desk that was asked for, and nowhere else."""
    asked = request.values.get("next", "")
    parts = urlsplit(asked)
    inside = (
        asked.startswith("/desk")
        and not parts.netloc
        and not parts.scheme
        and "\\" not in asked
        and asked.isprintable()
    )
    return request.script_root + asked if inside else url_for("desk.start")


def _session() -> Session:
    """Return the session of a request, a new one where it brings none that holds."""
    now = _now()
    known = unsealed(request.cookies.get(_COOKIE, ""), g.desk_secret)
    if known is None or known.is_over(now):
        g.renewed = True
        return Session.new("", now)
    g.renewed = now - known.seen_at >= RENEWED_AFTER_SECONDS
    return known.seen(now) if g.renewed else known


def _check_form() -> None:
    """Raise QueryError for a form that is not one of this session's: its token, and where the browser says it was sent from."""
    token = form_token(g.session, g.desk_secret)
    given = request.form.get("form_token", "")
    if not (_from_here() and given.isascii() and hmac.compare_digest(given, token)):
        raise QueryError("this form is out of date, or from another site; open the page again and send it once more")


def _from_here() -> bool:
    if (site := request.headers.get("Sec-Fetch-Site")) is not None:
        return site in ("same-origin", "none")
    origin = request.headers.get("Origin")
    return origin is None or urlsplit(origin).netloc in (request.host, request.headers.get("X-Forwarded-Host"))


def _is_https() -> bool:
    return request.is_secure or request.headers.get("X-Forwarded-Proto", "").split(",")[0].strip() == "https"


def _now() -> int:
    return int(time.time())
