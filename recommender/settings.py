"""Settings: frozen, validated, one section a component. The one owner of pydantic.

A flag wins over the environment (``RECOMMENDER_ENCODER__MODEL``), that over ``recommender.toml``, that over the default.
Read at the edge only; every component is handed its own section.
"""

from __future__ import annotations

import difflib
import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict
from pydantic_settings import SettingsError as UnreadableSetting

from recommender.errors import SettingsError

PREFIX = "RECOMMENDER_"
PRODUCT = "newsroom-recommender"
DEFAULT_FLOOR = 0.007

_ORIGIN = re.compile(r"(?!http://[^/]*:80$|https://[^/]*:443$)https?://([a-z0-9._-]+|\[[0-9a-f:]+\])(:[0-9]{1,5})?")


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class EncoderSettings(_Section):
    """Which model makes the vectors, and how.

    Attributes:
        model: ``all-MiniLM-L6-v2`` (from its PyPI package), a folder, a model hub id, ``hashing`` (no model; for trying
            out and tests), or ``none``: serve known articles only, nothing of the model stack is imported.
        runtime: ``onnx``: the model is exported once by sentence-transformers and then run without torch; ``torch``:
            sentence-transformers itself, for models that cannot be exported.
        prompt: put before every text (``query: `` for the E5 family).
        allow_download: fetch a hub id that is not in the local cache. Nothing else ever leaves this machine.
        threads: CPU threads of one encoding; 0 for all cores in a rebuild and, with ``onnx``, one
            thread where questions are answered.
        title_weight, description_weight, body_weight, chunk_words, max_chunks: see ``encoder.views.Recipe``.
        centring: shrinkage of the per-language centre in articles, see ``vectors.Centres``; 0 turns it off.
    """

    model: str = Field(default="all-MiniLM-L6-v2", min_length=1)
    runtime: Literal["onnx", "torch"] = "onnx"
    prompt: str = Field(default="", max_length=200)
    allow_download: bool = False
    threads: int = Field(default=0, ge=0, le=256)
    title_weight: float = Field(default=0.2, ge=0, le=1)
    description_weight: float = Field(default=0.15, ge=0, le=1)
    body_weight: float = Field(default=0.65, ge=0, le=1)
    chunk_words: int = Field(default=120, ge=10, le=2000)
    max_chunks: int = Field(default=64, ge=1, le=10_000)
    centring: float = Field(default=10.0, ge=0, le=1e6)


class LinkSettings(_Section):
    """How an editor's link finds its article.

    Attributes:
        fuzzy_threshold: least similarity of two headlines, 0 to 100 (``scripts/measure_title_matching.py``).
    """

    fuzzy_threshold: float = Field(default=90.0, ge=50, le=100)


class RankingSettings(_Section):
    """What a list looks like when the caller does not say.

    Attributes:
        k: length of a list.
        same_language: only stories in the article's language, where that is known.
        past_only: never a story that is younger than the article.
        kinds: of stories that readers are offered for being similar; empty for every kind.
        freshness: let stories fade with the time between the two.
        feedback: ask a free text together with the stories that it finds first.
        half_life_days, newer_half_life_days: of stories older and younger than the article; what was learned where not set.
        section_half_life_days: half-lives of sections that age faster or slower, by name.
        collapse: show one of several near-copies, and never a copy of the article itself.
        keep_copy: which one: ``own`` (what is not an agency's, then the best), ``best``, ``newest`` or ``longest``.
        diversity: what a story loses for each unit of cosine to one that stands above it; 0 for the pure ranking.
        floor: least probability that an editor would link the two; 0 for no floor.
        weights: a file of weights; else ``weights.json`` in the home (``recommender tune``), else the shipped one.
        rules: the desk's pins, blocks and boosts, a TOML or CSV file; else ``rules.toml`` in the home, where it is there.
    """

    k: int = Field(default=5, ge=1, le=1000)
    same_language: bool = True
    past_only: bool = False
    kinds: tuple[Literal["news", "opinion", "wire", "live", "sponsored"], ...] = ("news",)
    freshness: bool = True
    feedback: bool = True
    half_life_days: float | None = Field(default=None, gt=0, le=100_000)
    newer_half_life_days: float | None = Field(default=None, gt=0, le=100_000)
    section_half_life_days: dict[str, float] = Field(default_factory=dict)
    collapse: bool = True
    keep_copy: Literal["own", "best", "newest", "longest"] = "own"
    diversity: float = Field(default=0.0, ge=0, le=100)
    floor: float = Field(default=DEFAULT_FLOOR, ge=0, le=1)
    weights: Path | None = None
    rules: Path | None = None

    @field_validator("section_half_life_days")
    @classmethod
    def _positive(cls, given: dict[str, float]) -> dict[str, float]:
        for name, days in given.items():
            if not 0 < days <= 100_000:
                raise ValueError(f"{name} must be over 0 and at most 100,000 days")
        return given


class GateSettings(_Section):
    """What a new index has to pass before it goes live.

    Attributes:
        on: compare at every rebuild, as ``rebuild --gate`` does.
        max_churn: most of the first five that may change, on average over stories that both indexes know, 0 to 1.
    """

    on: bool = False
    max_churn: float = Field(default=0.3, ge=0, le=1)


class ScoreSettings(_Section):
    """What is measured of every new index, for its manifest.

    Attributes:
        max_queries: linking articles that are asked for, at most; each takes what one ``related`` takes. 0 measures nothing.
    """

    max_queries: int = Field(default=200, ge=0, le=100_000)


class IndexSettings(_Section):
    """What an index holds beside vectors and terms.

    Attributes:
        neighbours: keep the rows that are most like each, about 5 kB an article: a list then needs no search.
        neighbours_from: only in an archive of so many articles and stubs; a smaller one is searched as quickly.
        walk_from: in an archive of so many, a free text is answered by a walk along neighbours instead of two searches.
        processes: how many look for them; 0 for one a core.
    """

    neighbours: bool = True
    neighbours_from: int = Field(default=1_000, ge=0)
    walk_from: int = Field(default=20_000, ge=0)
    processes: int = Field(default=0, ge=0, le=256)


class FetchSettings(_Section):
    """How pages, feeds and sitemaps are fetched.

    Attributes:
        contact: how a site's owner finds whoever fetches: an address on the web or of mail; part of the User-Agent.
        allow_private: fetch from private and loopback addresses, too, at any port.
        ports: that may be asked.
        robots: obey robots.txt; for a site of your own it may be turned off.
        delay_seconds: pause between two requests to one host; one that asks for more gets it.
        connect_seconds, read_seconds, total_seconds: how long a connection, the next piece, and a whole answer may take.
        max_bytes: of a page, decompressed. Feeds and sitemaps have bounds of their own.
        max_redirects: that are followed.
        gone_hours: a page that the site says is gone is withdrawn when it says so again at least so much later.
        prune_share: most of a sitemap's stories that ``--prune`` withdraws at once without ``--force``, 0 to 1.
    """

    contact: str = Field(default="", max_length=200, pattern=r"^[!-~ ]*$")
    allow_private: bool = False
    ports: tuple[int, ...] = Field(default=(80, 443, 8080, 8443), min_length=1)
    robots: bool = True
    delay_seconds: float = Field(default=1.0, ge=0, le=3600)
    connect_seconds: float = Field(default=10.0, gt=0, le=600)
    read_seconds: float = Field(default=20.0, gt=0, le=600)
    total_seconds: float = Field(default=60.0, gt=0, le=3600)
    max_bytes: int = Field(default=2_000_000, ge=1000, le=100_000_000)
    max_redirects: int = Field(default=5, ge=0, le=20)
    gone_hours: float = Field(default=6.0, ge=0, le=10_000)
    prune_share: float = Field(default=0.1, ge=0, le=1)

    @property
    def agent(self) -> str:
        """The name that sites read in their logs and speak of in robots.txt."""
        return PRODUCT + (f" (+{self.contact})" if self.contact else "")


class ServeSettings(_Section):
    """The HTTP service.

    Attributes:
        host, port: where it listens.
        workers: processes; they share one copy of the index.
        threads: of a worker; half of them may wait for bodies.
        at_once: requests that a worker works on at a time; lists that it has kept go out beside them.
        max_body_bytes: a larger request body is refused.
        max_batch_bytes: the same for a batch of articles.
        log_format: of the log on stderr, ``text`` or ``json`` (one object a line).
        traces: make OpenTelemetry spans (extra ``otel``); where they go is set by the variables ``OTEL_*``.
        log_access: log a line a request: its number, route, status and time; nothing of who asked, or for what.
        encode_seconds: how long a free text waits for its vector before its words alone answer.
        encode_waiting: free texts that may wait; one more is refused with 503.
        cache_bytes: what a worker keeps of finished lists; 0 for nothing.
        max_query_chars: a longer free text is refused.
        poll_seconds: how often a worker looks for a new snapshot.
        cors_origins: sites whose pages may read lists by script, as ``https://www.example.org``; ``*`` for any.
        reads_per_minute: requests of one address that are answered, on all routes that need no key; 0 for no limit.
        writes_per_minute: requests of one key; 0 for no limit. As with the others so many may come at once, and then one in
            every 60 / so many seconds; all workers of a service count together.
        wrong_keys_per_minute: requests of one address without a good key, on routes that need one; 0 for no limit.
        trusted_proxies: of our own that stand in front; addresses are those that the outermost has seen (``X-Forwarded-For``).
            With 0 no header is believed, and behind a proxy all requests have its address.
        clicks: count how often stories are shown and clicked (``POST /v1/clicks``), by day and nothing of a reader.
    """

    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65535)
    workers: int = Field(default=1, ge=1, le=64)
    threads: int = Field(default=16, ge=2, le=256)
    at_once: int = Field(default=2, ge=1, le=64)
    max_body_bytes: int = Field(default=1_000_000, ge=1000, le=100_000_000)
    max_batch_bytes: int = Field(default=10_000_000, ge=1000, le=1_000_000_000)
    log_format: Literal["text", "json"] = "text"
    log_access: bool = False
    traces: bool = False
    encode_seconds: float = Field(default=2.0, gt=0, le=600)
    encode_waiting: int = Field(default=16, ge=1, le=10_000)
    cache_bytes: int = Field(default=64_000_000, ge=0, le=100_000_000_000)
    max_query_chars: int = Field(default=5_000, ge=10, le=1_000_000)
    poll_seconds: float = Field(default=1.0, ge=0, le=3600)
    cors_origins: tuple[str, ...] = ()
    reads_per_minute: int = Field(default=0, ge=0, le=10_000_000)
    writes_per_minute: int = Field(default=1_200, ge=0, le=10_000_000)
    wrong_keys_per_minute: int = Field(default=30, ge=0, le=10_000_000)
    trusted_proxies: int = Field(default=0, ge=0, le=10)
    clicks: bool = False

    @field_validator("cors_origins")
    @classmethod
    def _origins(cls, given: tuple[str, ...]) -> tuple[str, ...]:
        for origin in given:
            if origin != "*" and not _ORIGIN.fullmatch(origin):
                raise ValueError(f"{origin!r} is no origin; write it as browsers do, like https://www.example.org")
        return given


class Settings(BaseSettings):
    """Everything that can be set. Make one with :func:`load_settings`."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_nested_delimiter="__", frozen=True, extra="forbid")

    home: Path = Path("index")
    encoder: EncoderSettings = EncoderSettings()
    links: LinkSettings = LinkSettings()
    ranking: RankingSettings = RankingSettings()
    gate: GateSettings = GateSettings()
    score: ScoreSettings = ScoreSettings()
    index: IndexSettings = IndexSettings()
    fetch: FetchSettings = FetchSettings()
    serve: ServeSettings = ServeSettings()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Let the environment win over what the file said (which arrives as init values)."""
        return (env_settings, init_settings)


def load_settings(file: Path | None, flags: Mapping[str, Any] | None = None) -> Settings:
    """Return the settings of this process.

    Args:
        file: a TOML file; None for ``recommender.toml`` in the working directory, if it is there.
        flags: dotted names and values from the command line, e.g. ``{"serve.port": 8080}``; None values are ignored.

    Raises:
        SettingsError: an unknown name (the nearest known one is named), a wrong type, a value out of range.
    """
    values = _read_file(file)
    _check_names(values, Settings, str(file or "recommender.toml"))
    _check_environment()
    try:
        settings = Settings(**values)
    except ValidationError as error:
        raise SettingsError(_explained(error)) from error
    except UnreadableSetting as error:
        raise SettingsError(
            f'environment: {error}; a list or table is written as JSON there, such as ["news", "live"]'
        ) from error
    return with_flags(settings, flags or {})


def with_flags(settings: Settings, flags: Mapping[str, Any]) -> Settings:
    """Return ``settings`` with dotted names set anew; None values are ignored. Raises SettingsError."""
    for name, value in flags.items():
        if value is not None:
            settings = _with(settings, name.split("."), value)
    return settings


def _read_file(file: Path | None) -> dict[str, Any]:
    path = file or Path("recommender.toml")
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        if file is None:
            return {}
        raise SettingsError(f"{path}: no such file") from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"{path}: cannot be read as TOML: {error}") from error


def _check_names(values: Mapping[str, Any], model: type[BaseModel], where: str, path: str = "") -> None:
    for name, value in values.items():
        if name not in model.model_fields:
            raise SettingsError(
                f"{where}: unknown setting {path}{name}{_nearest(name, list(model.model_fields), path)}"
            )
        kind = model.model_fields[name].annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel) and isinstance(value, Mapping):
            _check_names(value, kind, where, f"{path}{name}.")


def _check_environment() -> None:
    known = {"HOME", "CONFIG"}
    for section, field in Settings.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            known.update(f"{section}__{name}".upper() for name in kind.model_fields)
    for name in os.environ:
        if name.startswith(PREFIX) and name.removeprefix(PREFIX) not in known:
            raise SettingsError(
                f"environment: unknown setting {name}{_nearest(name.removeprefix(PREFIX), sorted(known), PREFIX)}"
            )


def _nearest(name: str, names: list[str], prefix: str) -> str:
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    return f"; did you mean {prefix}{near[0]}?" if near else f"; known are {', '.join(names)}"


def _with(settings: Settings, path: list[str], value: Any) -> Settings:
    if len(path) == 1:
        return settings.model_copy(update={path[0]: value})
    section: BaseModel = getattr(settings, path[0])
    try:
        changed = type(section).model_validate(section.model_dump() | {path[1]: value})
    except ValidationError as error:
        raise SettingsError(_explained(error, f"{path[0]}.")) from error
    return settings.model_copy(update={path[0]: changed})


def _explained(error: ValidationError, section: str = "") -> str:
    first = error.errors()[0]
    name = ".".join(str(part) for part in first["loc"])
    return f"setting {section}{name}: {first['msg'][:1].lower()}{first['msg'][1:]} (it is {first['input']!r})"
