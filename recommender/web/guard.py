"""Who may write: ``Authorization: Bearer KEY``, held against the home's keys."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import ParamSpec

from flask import Response, current_app, g, request

from recommender.keys import Keys
from recommender.web.limits import Limits
from recommender.web.refusals import error_body
from recommender.web.responses import as_json

P = ParamSpec("P")


def write_key_needed(view: Callable[P, Response]) -> Callable[P, Response]:
    """Answer 401 to who brings no write key; the name of the key is in ``g.key_name``.

    Requests are counted by key, and those without a good one by address: whoever shows a good key is never refused for what
    others of the same address have tried.
    """

    @functools.wraps(view)
    def guarded(*arguments: P.args, **named: P.kwargs) -> Response:
        keys: Keys = current_app.extensions["recommender.keys"]
        limits: Limits = current_app.extensions["recommender.limits"]
        given = request.authorization
        token = given.token if given is not None and given.type == "bearer" else None
        name = keys.check(token or "", "write")
        if name is None:
            limits.count_address("wrong_keys", request.environ)
            return _unauthorized(keys)
        limits.count_key(name)
        g.key_name = name
        return view(*arguments, **named)

    return guarded


def _unauthorized(keys: Keys) -> Response:
    hint = "" if len(keys) else "; this home has no keys yet: recommender keys add NAME --scope write"
    response = as_json(error_body("unauthorized", f"a write key is needed: send Authorization: Bearer KEY{hint}"), 401)
    response.headers["WWW-Authenticate"] = "Bearer"
    return response
