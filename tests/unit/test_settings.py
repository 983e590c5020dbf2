from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from pydantic import ValidationError

from recommender.answer import Options, options_of
from recommender.errors import SettingsError
from recommender.settings import Settings, load_settings, with_flags


@pytest.fixture(autouse=True)
def _empty_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.startswith("RECOMMENDER_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def _file(text: str, name: str = "desk.toml") -> Path:
    path = Path(name)
    path.write_text(text, encoding="utf-8")
    return path


def test_without_file_environment_and_flags_the_defaults_hold() -> None:
    settings = load_settings(None)

    assert settings.home == Path("index")
    assert settings.encoder.model == "all-MiniLM-L6-v2"
    assert not settings.encoder.allow_download
    assert (settings.links.fuzzy_threshold, settings.ranking.k, settings.serve.host) == (90.0, 5, "127.0.0.1")


def test_the_file_in_the_working_directory_is_read() -> None:
    _file("home = 'archive'\n[ranking]\nk = 7\n", "recommender.toml")

    settings = load_settings(None)

    assert (settings.home, settings.ranking.k, settings.ranking.same_language) == (Path("archive"), 7, True)


def test_a_named_file_is_read_instead() -> None:
    _file("[ranking]\nk = 7\n", "recommender.toml")

    assert load_settings(_file("[serve]\nport = 9000\n")).ranking.k == 5


def test_the_environment_wins_over_the_file_and_leaves_its_neighbours(monkeypatch: pytest.MonkeyPatch) -> None:
    file = _file("home = 'file'\n[encoder]\nmodel = 'file'\nthreads = 3\n")
    monkeypatch.setenv("RECOMMENDER_ENCODER__MODEL", "hashing")
    monkeypatch.setenv("RECOMMENDER_HOME", "environment")

    settings = load_settings(file)

    assert (settings.home, settings.encoder.model, settings.encoder.threads) == (Path("environment"), "hashing", 3)


def test_a_flag_wins_over_the_environment_and_a_flag_not_given_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    file = _file("[encoder]\nthreads = 3\n[ranking]\nk = 2\n")
    monkeypatch.setenv("RECOMMENDER_ENCODER__MODEL", "environment")
    monkeypatch.setenv("RECOMMENDER_SERVE__PORT", "9000")

    settings = load_settings(file, {"encoder.model": "flag", "serve.port": None, "ranking.k": 9, "home": Path("flag")})

    assert (settings.encoder.model, settings.encoder.threads) == ("flag", 3)
    assert (settings.serve.port, settings.ranking.k, settings.home) == (9000, 9, Path("flag"))


def test_the_environment_speaks_in_text_and_is_understood(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECOMMENDER_RANKING__PAST_ONLY", "true")
    monkeypatch.setenv("RECOMMENDER_LINKS__FUZZY_THRESHOLD", "88.5")
    monkeypatch.setenv("RECOMMENDER_CONFIG", "read by the command line")

    settings = load_settings(None)

    assert (settings.ranking.past_only, settings.links.fuzzy_threshold) == (True, 88.5)


def test_lists_and_tables_are_read_from_file_and_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    file = _file("[ranking]\nkinds = []\n[ranking.section_half_life_days]\nsport = 3.5\n")
    assert (load_settings(file).ranking.kinds, load_settings(None).ranking.kinds) == ((), ("news",))
    assert load_settings(file).ranking.section_half_life_days == {"sport": 3.5}
    monkeypatch.setenv("RECOMMENDER_RANKING__KINDS", '["news", "wire"]')
    monkeypatch.setenv("RECOMMENDER_RANKING__SECTION_HALF_LIFE_DAYS", '{"sport": 7}')

    ranking = load_settings(file).ranking

    assert (ranking.kinds, ranking.section_half_life_days) == (("news", "wire"), {"sport": 7.0})


@pytest.mark.parametrize(
    "origin",
    [
        "",
        "www.lindenpost.example",
        "https://www.lindenpost.example/",
        "https://www.Lindenpost.example",
        "https://www.lindenpost.example:443",
        "http://www.lindenpost.example:80",
        "https://*.lindenpost.example",
        "https://user@lindenpost.example",
        "https://grüße.example",
        "https://a.example https://b.example",
        "https://a.example\nX-Evil: 1",
        "file://",
        "null",
    ],
)
def test_what_no_browser_sends_is_no_origin(origin: str) -> None:
    with pytest.raises(
        SettingsError, match=r"serve\.cors_origins: .* is no origin; write it as browsers do, like https"
    ):
        with_flags(load_settings(None), {"serve.cors_origins": [origin]})


def test_origins_are_read_from_the_file() -> None:
    told = ("https://www.lindenpost.example", "http://localhost:8080", "http://[::1]:8080", "*")

    assert load_settings(_file(f"[serve]\ncors_origins = {list(told)}")).serve.cors_origins == told


@pytest.mark.parametrize("name", ["KINDS", "SECTION_HALF_LIFE_DAYS"])
def test_a_list_in_the_environment_that_is_none_is_named(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(f"RECOMMENDER_RANKING__{name}", "news")

    with pytest.raises(SettingsError, match=r"(?i)environment.*ranking"):
        load_settings(None)


def test_the_settings_of_a_list_are_the_options_of_a_list() -> None:
    ranking = load_settings(
        _file(
            "[ranking]\nk = 7\nsame_language = false\npast_only = true\nkinds = ['wire']\nfreshness = false\n"
            "feedback = false\ncollapse = false\ndiversity = 1.5\nfloor = 0.25\n"
        )
    ).ranking

    assert options_of(ranking) == Options(
        k=7,
        same_language=False,
        past_only=True,
        kinds=("wire",),
        freshness=False,
        feedback=False,
        collapse=False,
        diversity=1.5,
        floor=0.25,
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[encoder]\nmodell = 'x'", "desk.toml: unknown setting encoder.modell; did you mean encoder.model?"),
        ("[enkoder]\nmodel = 'x'", "desk.toml: unknown setting enkoder; did you mean encoder?"),
        (
            "k = 5",
            "desk.toml: unknown setting k; known are home, encoder, links, ranking, gate, score, index, fetch, serve",
        ),
        ("[links]\nzzz = 5", "desk.toml: unknown setting links.zzz; known are fuzzy_threshold"),
        (
            "[ranking]\nk = 0",
            "setting ranking.k: input should be greater than or equal to 1 (it is 0)",
        ),
        (
            "[ranking]\nfloor = 1.5",
            "setting ranking.floor: input should be less than or equal to 1 (it is 1.5)",
        ),
        (
            "[ranking]\ndiversity = -1",
            "setting ranking.diversity: input should be greater than or equal to 0 (it is -1)",
        ),
        (
            "[ranking]\nhalf_life_days = nan",
            "setting ranking.half_life_days: input should be less than or equal to 100000 (it is nan)",
        ),
        (
            "[ranking]\nkinds = ['news', 'rumour']",
            "setting ranking.kinds.1: input should be 'news', 'opinion', 'wire', 'live' or 'sponsored' (it is 'rumour')",
        ),
        (
            "[ranking]\nkeep_copy = 'mine'",
            "setting ranking.keep_copy: input should be 'own', 'best', 'newest' or 'longest' (it is 'mine')",
        ),
        (
            "[ranking.section_half_life_days]\nworld = 30\nsport = 0",
            "setting ranking.section_half_life_days: value error, sport must be over 0 and at most 100,000 days "
            "(it is {'world': 30, 'sport': 0})",
        ),
        (
            "[gate]\nmax_churn = 30",
            "setting gate.max_churn: input should be less than or equal to 1 (it is 30)",
        ),
        (
            "[serve]\nport = 65536",
            "setting serve.port: input should be less than or equal to 65535 (it is 65536)",
        ),
        (
            "[encoder]\nruntime = 'cuda'",
            "setting encoder.runtime: input should be 'onnx' or 'torch' (it is 'cuda')",
        ),
        (
            "[encoder]\nmodel = ''",
            "setting encoder.model: string should have at least 1 character (it is '')",
        ),
        (
            "encoder = 3",
            "setting encoder: input should be a valid dictionary or instance of EncoderSettings (it is 3)",
        ),
    ],
)
def test_a_setting_that_is_wrong_is_named_with_the_mend(text: str, message: str) -> None:
    with pytest.raises(SettingsError, match=f"^{re.escape(message)}$"):
        load_settings(_file(text))


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        (
            "RECOMMENDER_ENCODER__MODLE",
            "x",
            "environment: unknown setting RECOMMENDER_ENCODER__MODLE; did you mean RECOMMENDER_ENCODER__MODEL?",
        ),
        (
            "RECOMMENDER_ENCODER_MODEL",
            "x",
            "environment: unknown setting RECOMMENDER_ENCODER_MODEL; did you mean RECOMMENDER_ENCODER__MODEL?",
        ),
        (
            "RECOMMENDER_SERVE__WORKERS",
            "many",
            "setting serve.workers: input should be a valid integer, unable to parse string as an integer (it is 'many')",
        ),
        (
            "RECOMMENDER_SERVE__WORKERS",
            "65",
            "setting serve.workers: input should be less than or equal to 64 (it is '65')",
        ),
    ],
)
def test_a_wrong_variable_is_named_with_the_mend(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, message: str
) -> None:
    monkeypatch.setenv(name, value)

    with pytest.raises(SettingsError, match=f"^{re.escape(message)}$"):
        load_settings(None)


def test_a_flag_out_of_range_is_refused() -> None:
    with pytest.raises(
        SettingsError, match=r"^setting serve.port: input should be less than or equal to 65535 \(it is 7000"
    ):
        load_settings(None, {"serve.port": 70_000})


def test_a_file_that_is_missing_or_no_toml_is_refused() -> None:
    with pytest.raises(SettingsError, match=r"^no\.toml: no such file$"):
        load_settings(Path("no.toml"))
    with pytest.raises(SettingsError, match=r"^desk\.toml: cannot be read as TOML: "):
        load_settings(_file("[encoder\n"))
    Path("desk.toml").write_bytes(b"home = '\xff'")
    with pytest.raises(SettingsError, match=r"^desk\.toml: cannot be read as TOML: "):
        load_settings(Path("desk.toml"))


def test_settings_cannot_be_changed_only_made_anew() -> None:
    settings = load_settings(None)
    with pytest.raises(ValidationError, match="frozen"):
        settings.encoder.model = "x"
    with pytest.raises(ValidationError, match="frozen"):
        settings.home = Path("x")

    changed = with_flags(settings, {"encoder.model": "hashing"})

    assert (settings.encoder.model, changed.encoder.model) == ("all-MiniLM-L6-v2", "hashing")
    assert isinstance(changed, Settings)
