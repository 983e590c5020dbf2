"""The floor's probability by language, for free texts, and held to later links; what ``tune`` keeps and where."""

from __future__ import annotations

import json
import shutil
import signal
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import test_cli
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from newsroom import publish, settings_for, store, write_jsonl
from test_cli import Command, _end, _hear, _started

from recommender.answer import Options
from recommender.article import Article, ReadMore
from recommender.errors import EncoderDisabledError
from recommender.evaluate import Bin, reliability
from recommender.evaluate.reliability import EDGES
from recommender.fusion import Calibration, read_model, shipped
from recommender.recommend import Recommender
from recommender.settings import Settings
from recommender.trial import Truth, truth_from_links
from recommender.trial.calibrate import MIN_LINKED, Pairs, article_pairs, fitted, held, reliabilities, text_pairs
from recommender.trial.learn import fit_calibration
from recommender.trial.truth import later_half
from recommender.trial.tune import Tuning, tune_weights

pytestmark = pytest.mark.slow  # evaluates whole archives

command = test_cli.command
START = datetime(2023, 1, 1, tzinfo=UTC)
SUBJECTS = {
    "en": ("ferry harbour strike crew mast", "river flood dam valley rain", "court trial judge appeal jury"),
    "uk": ("вода річка повінь місто дощ", "суд суддя вирок справа закон", "потяг колія вокзал рейс квиток"),
}
N, N_UK = 108, 36


def _story(number: int, language: str) -> Article:
    random = np.random.default_rng([number, len(language), ord(language[0])])
    subject = SUBJECTS[language][number % 3].split()
    rare = [f"{subject[0]}{each}" for each in random.integers(0, 40, 8)]
    links = (number - 3, number - 6) if number >= 6 else ()
    return Article(
        f"{language}{number:03d}",
        f"{subject[0]} {subject[number % 5]} {number}",
        description=" ".join(random.permutation(subject)),
        text=" ".join([*random.permutation(subject), *rare]),
        published_at=START + timedelta(days=number),
        language=language,
        section=subject[0],
        url=f"https://linden.example/{language}{number:03d}",
        read_more=tuple(ReadMore("x", f"https://linden.example/{language}{target:03d}") for target in links),
    )


ARTICLES = [*(_story(number, "en") for number in range(N)), *(_story(number, "uk") for number in range(N_UK))]


@pytest.fixture(scope="module")
def settings_of_both(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    made = settings_for(tmp_path_factory.mktemp("both") / "home")
    store(made, ARTICLES)
    publish(made)
    return made


@pytest.fixture(scope="module")
def both(settings_of_both: Settings) -> Recommender:
    """An archive with 204 links between English stories and 60 between Ukrainian ones."""
    return Recommender.open(settings_of_both)


def _articles() -> Iterator[Article]:
    return iter(sorted(ARTICLES, key=lambda article: article.id))


def _halves(recommender: Recommender) -> tuple[Truth, Truth]:
    split = later_half(recommender.snapshot)
    return truth_from_links(recommender.snapshot, before=split), truth_from_links(recommender.snapshot, since=split)


# --- pairs


def _by_hand(recommender: Recommender, qrels: dict[str, dict[str, int]], language: str) -> list[tuple[float, ...]]:
    """Every pair of a question and an article that is not younger, with the cosines as ``explain`` gives them."""
    at = {article.id: article.published_at for article in ARTICLES}
    found = []
    for query in [each for each in qrels if each.startswith(language)]:
        for other in sorted(at):
            if other != query and at[other] <= at[query]:  # type: ignore[operator]
                cosines = recommender.explain(query, other)["cosines"]
                found.append((cosines["dense"], cosines["lexical"], float(other in qrels[query])))
    return found


def test_pairs_are_every_question_with_every_article_that_was_there_before_it(both: Recommender) -> None:
    qrels = {query: dict.fromkeys(targets, 1) for query, targets in truth_from_links(both.snapshot).qrels.items()}
    some = {query: qrels[query] for query in ("en006", "en030", "uk006")}
    pairs = article_pairs(both, some, Options())

    assert set(pairs) == {"en", "uk"}
    for language, found in pairs.items():
        expected = _by_hand(both, some, language)
        actual = np.stack([found.dense, found.lexical, found.linked], axis=-1)
        assert actual == pytest.approx(np.array(expected), abs=2e-6)
        assert (found.weight == 1).all()
    # en000 and uk000 stand in the first rows of the index, and are linked.
    assert (pairs["en"].n_linked, pairs["uk"].n_linked) == (4, 2)


def test_what_is_not_judged_relevant_has_no_date_or_is_not_there_makes_no_linked_pair(tmp_path: Path) -> None:
    settings = settings_for(tmp_path / "home")
    undated = replace(_story(9, "en"), published_at=None, read_more=())
    store(settings, [*(_story(number, "en") for number in range(9)), undated])
    publish(settings)
    recommender = Recommender.open(settings)
    qrels = {"en008": {"en000": 0, "en001": 1, "gone": 1, "en009": 1}, "en009": {"en001": 1}, "nobody": {"en001": 1}}

    (pairs,) = article_pairs(recommender, qrels, Options()).values()

    assert (len(pairs.linked), pairs.n_linked) == (8, 1)


def test_of_many_pairs_every_linked_one_is_kept_and_the_rest_stand_for_all(both: Recommender) -> None:
    qrels = truth_from_links(both.snapshot).qrels
    everything = Pairs.join(article_pairs(both, qrels, Options()).values())
    some = Pairs.join(article_pairs(both, qrels, Options(), max_pairs=6_000).values())

    assert some.n_linked == everything.n_linked == 264
    assert len(some.linked) < len(everything.linked) / 3
    assert some.weight.sum() == pytest.approx(len(everything.linked), rel=0.05)
    said = [each.fit().probability(everything.dense, everything.lexical) for each in (everything, some)]
    assert said[1].mean() == pytest.approx(said[0].mean(), rel=0.1)


def test_a_pair_of_weight_three_counts_as_three_pairs() -> None:
    random = np.random.default_rng(5)
    dense, lexical = random.random((2, 400))
    linked = (random.random(400) < dense / 2).astype(float)
    weight = np.where(linked > 0, 1.0, 3.0)
    repeated = [np.repeat(column, weight.astype(int)) for column in (dense, lexical, linked)]

    one, other = fit_calibration(dense, lexical, linked, weight), fit_calibration(*repeated)

    assert (one.intercept, one.dense, one.lexical) == pytest.approx(
        (other.intercept, other.dense, other.lexical), abs=2e-4
    )


# --- a calibration for each language that has links enough


def _pairs(n_linked: int, n: int = 3_000, seed: int = 0) -> Pairs:
    random = np.random.default_rng(seed)
    linked = np.zeros(n)
    linked[:n_linked] = 1.0
    return Pairs(random.normal(linked * 0.3, 0.2), random.normal(linked * 0.2, 0.1), linked, np.ones(n))


def test_a_language_with_links_enough_has_a_calibration_of_its_own_and_the_others_go_with_all() -> None:
    pairs = {"en": _pairs(MIN_LINKED), "uk": _pairs(MIN_LINKED - 1, seed=1), "": _pairs(300, seed=2)}

    found = fitted(pairs)

    assert set(found) == {"*", "en"}
    assert found["en"] == pairs["en"].fit()
    assert found["*"] == Pairs.join(pairs.values()).fit()


@pytest.mark.parametrize("pairs", [{}, {"en": _pairs(0)}, {"en": Pairs.join([])}, {"en": _pairs(7, n=7)}])
def test_where_nothing_or_everything_is_linked_there_is_no_calibration(pairs: dict[str, Pairs]) -> None:
    assert fitted(pairs) == {}


@pytest.mark.parametrize("name", ["*", "text"])
def test_no_language_takes_the_place_of_all_or_of_free_texts(name: str) -> None:
    assert set(fitted({name: _pairs(MIN_LINKED)})) == {"*"}


@pytest.fixture(scope="module")
def tuning(both: Recommender) -> Tuning:
    return tune_weights(both, *_halves(both), _articles, Options())


def test_tuning_fits_every_language_with_links_enough_all_together_and_free_texts(
    both: Recommender, tuning: Tuning
) -> None:
    earlier, _ = _halves(both)
    n_by_language = {
        language: pairs.n_linked for language, pairs in article_pairs(both, earlier.qrels, Options()).items()
    }
    made = tuning.model.calibrations["hashing@1"]

    assert n_by_language["uk"] < MIN_LINKED
    assert set(made) == {"*", "text"} | {language for language, n in n_by_language.items() if n >= MIN_LINKED}
    assert tuning.note is None
    assert {name: tuning.model.calibrations[name] for name in shipped().calibrations} == shipped().calibrations


def test_what_was_fitted_elsewhere_for_a_language_gives_way_to_all_of_this_archive(both: Recommender) -> None:
    foreign, text = Calibration(-1.0, 1.0, 1.0), Calibration(-2.0, 1.0, 1.0)
    model = replace(both.model, calibrations={"hashing@1": {"uk": foreign, "*": foreign, "text": text}})

    made = tune_weights(both.with_model(model), *_halves(both), _articles, Options()).model.calibrations["hashing@1"]

    assert "uk" not in made
    assert made["*"] != foreign
    assert made["text"] != text


# --- free texts


def test_the_pairs_of_free_texts_are_title_and_standfirst_as_a_search_scores_them(both: Recommender) -> None:
    qrels = {"en030": {"en027": 1, "en024": 1}}
    found = text_pairs(both, qrels, _articles, Options(feedback=False))
    article = _story(30, "en")
    before = sorted(each.id for each in ARTICLES if each.published_at < article.published_at or each.id == "uk030")  # type: ignore[operator]

    assert (len(found.linked), found.n_linked) == (2 * len(before), 4)
    for start, text in ((0, article.title), (len(before), article.description)):
        for ranker in ("dense", "lexical"):
            options = Options(k=1000, raw=True, ranker=ranker, feedback=False)
            ((_, _, hits),) = both.search_hits([("q", text)], options)
            scores = {hit.article_id: hit.score for hit in hits}
            values = getattr(found, ranker)[start : start + len(before)]
            known = [(value, scores[each]) for value, each in zip(values, before, strict=True) if each in scores]
            assert len(known) > 5
            assert [value for value, _ in known] == pytest.approx([score for _, score in known], abs=2e-6)


def test_the_stories_that_a_text_is_asked_with_do_not_vouch_for_it(both: Recommender) -> None:
    """Feedback moves scores; the cosines that a probability is made of are those of the text as it was asked."""
    title = _story(30, "en").title
    (asked,), (plain,) = (both.learning_texts([title], Options(feedback=feedback)) for feedback in (True, False))
    rows = np.arange(len(both.snapshot), dtype=np.int64)

    np.testing.assert_array_equal(asked.cosines(), plain.cosines())
    assert not np.allclose(asked.signals(rows).dense, plain.signals(rows).dense)
    moved, still = asked.score(rows), plain.score(rows)
    order = [int(np.flatnonzero(moved.rows == row)[0]) for row in still.rows]
    np.testing.assert_array_equal(moved.dense[order], still.dense)
    assert not np.allclose(moved.scores[order], still.scores)


def test_where_no_encoder_is_at_hand_free_texts_keep_what_they_had(
    both: Recommender, settings_of_both: Settings
) -> None:
    text = Calibration(-2.0, 1.0, 1.0)
    model = replace(both.model, calibrations={"hashing@1": {"text": text}})
    none = settings_of_both.model_copy(
        update={"encoder": settings_of_both.encoder.model_copy(update={"model": "none"})}
    )
    recommender = Recommender.over(both.snapshot, none).with_model(model)
    with pytest.raises(EncoderDisabledError, match=r"encoder\.model = 'none'"):
        text_pairs(recommender, {"en030": {"en027": 1}}, _articles, Options())

    made = tune_weights(recommender, *_halves(both), _articles, Options())

    assert made.model.calibrations["hashing@1"]["text"] == text
    assert (made.note or "").startswith("free texts keep the calibration that they had: ")
    assert "text" not in made.reliability


# --- said against found


def test_said_stands_beside_found_in_the_range_that_it_lies_in() -> None:
    said = np.array([0.0, 0.0009, 0.001, 0.3, 0.4, 1.0])
    linked = np.array([0.0, 0.0, 1.0, 0.0, 1.0, 1.0])

    assert reliability(said, linked) == (
        Bin(0.0, 0.001, 2, 0, pytest.approx(0.00045), 0.0),
        Bin(0.001, 0.002, 1, 1, 0.001, 1.0),
        Bin(0.2, 0.5, 2, 1, pytest.approx(0.35), 0.5),
        Bin(0.5, 1.0, 1, 1, 1.0, 1.0),
    )
    assert reliability(np.zeros(0), np.zeros(0)) == ()


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans(), st.integers(1, 5)), max_size=30))
@examples(deadline=None, max_examples=50)
def test_no_pair_is_lost_between_the_ranges(pairs: list[tuple[float, bool, int]]) -> None:
    said, linked, weight = (np.array([pair[at] for pair in pairs], np.float64) for at in range(3))
    bins = reliability(said, linked, weight)

    assert sum(one.n_pairs for one in bins) == weight.sum()
    assert sum(one.n_linked for one in bins) == (weight * linked).sum()
    assert all(one.low <= one.said <= one.high and 0 <= one.found <= 1 for one in bins)
    assert {(one.low, one.high) for one in bins} <= set(pairwise(EDGES))


def test_each_language_is_held_to_its_own_calibration_and_all_to_theirs(both: Recommender) -> None:
    sure, unsure = Calibration(0.0, 0.0, 0.0), Calibration(-60.0, 0.0, 0.0)
    model = replace(both.model, calibrations={"hashing@1": {"en": sure, "*": unsure}})
    pairs = article_pairs(both, truth_from_links(both.snapshot).qrels, Options())

    found = reliabilities(model, "hashing@1", pairs)

    assert set(found) == {"*", "en"}
    assert [(one.said, one.n_pairs) for one in found["en"]] == [(0.5, len(pairs["en"].linked))]
    assert [one.n_pairs for one in found["*"]] == [len(pairs["uk"].linked), len(pairs["en"].linked)]
    assert reliabilities(model, "another", pairs) == {}
    assert held(both, {}, Options()) == {}


def test_what_was_learned_from_earlier_links_is_held_to_every_later_one(tuning: Tuning) -> None:
    bins = tuning.reliability["*"]

    assert sum(one.n_linked for one in bins) == sum(map(len, tuning.later.qrels.values()))
    assert bins[-1].found > 5 * bins[0].found
    assert "probability of an editor's link, later links, all articles" in tuning.lines()
    assert "probability of an editor's link, later links, free texts" in tuning.lines()


# --- what is kept


def test_a_more_lenient_floor_does_not_pass_for_better_weights(both: Recommender, tuning: Tuning) -> None:
    """With a calibration that lets nothing through, the lists in use are empty; their weights are none the worse."""
    nothing = Calibration(-60.0, 0.0, 0.0)
    same = replace(tuning.model, calibrations={"hashing@1": {"*": nothing}})

    made = tune_weights(both.with_model(same), *_halves(both), _articles, Options())

    assert both.with_model(same).related_hits("en050", Options(blind=True)) == []
    assert made.figures["any_date"]["former"]["nDCG@5"] == tuning.figures["any_date"]["tuned"]["nDCG@5"] > 0


@pytest.fixture
def tuned_home(command: Command, environment: Path, settings_of_both: Settings) -> Command:
    shutil.copytree(settings_of_both.home, environment)
    return command


def _kept(done: test_cli.Done, environment: Path) -> bool:
    kept = (environment / "weights.json").exists()
    assert (done.code == 0) == kept
    assert ("kept in " in done.err, "not kept: " in done.err) == (kept, not kept)
    return kept


def test_tuning_twice_ends_where_tuning_once_did(tuned_home: Command, environment: Path) -> None:
    first = tuned_home("tune")
    _kept(first, environment)
    while first.code == 0:
        before = (environment / "weights.json").read_bytes()
        first = tuned_home("tune")
    again = tuned_home("tune")

    assert (again.code, again.out) == (1, first.out)
    if (environment / "weights.json").exists():
        assert (environment / "weights.json").read_bytes() == before


def test_the_json_of_tune_holds_the_model_and_what_justifies_it(tuned_home: Command, environment: Path) -> None:
    done = tuned_home("tune", "--json", "--force")
    model = read_model(environment / "weights.json")

    assert done.data["kept"] == str(environment / "weights.json")
    assert done.data["calibrations"]["hashing@1"].keys() == model.calibrations["hashing@1"].keys() >= {"*", "text"}
    assert done.data["figures"] == json.loads(json.dumps(model.figures))
    assert {"learned_from", "checked_on", "figures", "gain", "reliability"} == set(model.figures)
    assert done.data["figures"]["reliability"]["*"][0].keys() == {"low", "high", "n_pairs", "n_linked", "said", "found"}


def test_weights_go_where_the_settings_look_for_them(
    tuned_home: Command, environment: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = environment.parent / "ours.json"
    path.write_text(json.dumps(shipped().as_dict()), encoding="utf-8")
    monkeypatch.setenv("RECOMMENDER_RANKING__WEIGHTS", str(path))
    done = tuned_home("tune", "--force")

    assert f"kept in {path}; a running service takes it" in done.err
    assert "hashing@1" in read_model(path).calibrations
    assert not (environment / "weights.json").exists()
    elsewhere = tuned_home("tune", "--force", "--out", environment.parent / "other.json")
    assert "other.json; set ranking.weights to this file to use it" in elsewhere.err


def test_judgments_of_a_file_are_parted_by_their_own_dates(tuned_home: Command, environment: Path) -> None:
    qrels = environment.parent / "judged.txt"
    qrels.write_text("".join(f"en{at:03d} 0 en{at - 3:03d} 1\n" for at in range(20, 90)), encoding="utf-8")
    told = tuned_home("tune", "--qrels", qrels, "--json").data["figures"]

    assert told["learned_from"] == {
        "source": "judged.txt", "questions": 35, "before": (START + timedelta(days=55)).isoformat(),
    }  # fmt: skip
    assert told["checked_on"]["questions"] == 35


@pytest.mark.parametrize(
    ("articles", "message"),
    [
        ([_story(number, "en") for number in range(4)], "no article with links has a date"),
        ([_story(number, "en") for number in range(7)], "only 0 articles with links were published before the split"),
        (
            [replace(_story(number, "en"), published_at=START) for number in range(60)],
            "only 0 articles with links were published before the split",
        ),
        (
            [replace(_story(number, "en"), published_at=None) for number in range(60)],
            "no article with links has a date, so there is no earlier and later",
        ),
    ],
    ids=["no links", "one linking story", "all dates equal", "no dates"],
)
def test_a_bare_archive_is_told_what_it_lacks(
    command: Command, environment: Path, articles: Sequence[Article], message: str
) -> None:
    settings = settings_for(environment)
    store(settings, articles)
    publish(settings)
    done = command("tune")

    assert (done.code, done.out) == (1, "")
    assert message in done.err


_SLOW_TUNE = """
import sys
from recommender.cli import main
from recommender.trial import tune

learn = tune.fit_weights

def waiting(*given, **named):
    print("learning", flush=True)
    sys.stdin.read()
    return learn(*given, **named)

tune.fit_weights = waiting
main(["tune", "--force"])
"""


def _files(home: Path) -> list[str]:
    """Return what lies in a home, but for what SQLite leaves beside a catalog that nobody closed and takes away when it is opened."""
    return sorted(path.name for path in home.iterdir() if not path.name.startswith("catalog.db-"))


def test_ctrl_c_while_it_learns_leaves_everything_as_it_was(tuned_home: Command, environment: Path) -> None:
    before = _files(environment)
    with _started(python=("-c", _SLOW_TUNE)) as process:
        assert _hear(process) == "learning\n"
        process.send_signal(signal.SIGINT)
        code, err = _end(process)

    assert (code, "Traceback" in err) == (130, False)
    assert _files(environment) == before


# --- the gate


def test_the_gate_compares_across_a_change_of_the_encoder(
    tuned_home: Command, environment: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The live index was made with another encoder; its known articles are answered all the same."""
    shuffled = [
        {"id": one.id, "title": one.title, "text": other.text, "language": one.language, "section": one.section}
        | {"published_at": str(one.published_at), "url": one.url}
        for one, other in zip(ARTICLES, [*ARTICLES[7:], *ARTICLES[:7]], strict=True)
    ]
    tuned_home("ingest", write_jsonl(tmp_path / "shuffled.jsonl", shuffled))
    monkeypatch.setenv("RECOMMENDER_ENCODER__PROMPT", "query: ")
    held_back = tuned_home("rebuild", "--gate")

    assert held_back.code == 1
    assert "compared with the live index: " in held_back.err
    assert "nothing to compare with" not in held_back.err
    assert "Publish it with --force" in held_back.err
    assert tuned_home("evaluate").code == 0  # the live index answers with the encoder that it was made with
    assert tuned_home("rebuild", "--force").code == 0
    told = tuned_home("evaluate", "--json", "--qrels", _one_judgment(tmp_path))
    assert "last snapshot" in [system["name"] for system in told.data["scopes"]["any_date"]["systems"]]


def _one_judgment(folder: Path) -> Path:
    path = folder / "one.txt"
    path.write_text("en020 0 en017 1\n", encoding="utf-8")
    return path
