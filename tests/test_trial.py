"""The index put to the archive's own links: what is right, the baselines, learning, the gate, and their commands."""

from __future__ import annotations

import json
import math
import re
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import test_cli
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from newsroom import publish, settings_for, store, write_jsonl
from test_cli import Command
from test_ranking import LEAK_QUERY, LEAK_TARGET, changed, leaky, opened, story, words_of

from recommender.answer import Options
from recommender.article import Article, ReadMore
from recommender.cli.judge import _articles
from recommender.compose import ranking_model
from recommender.errors import GateError, InputError, SourceError
from recommender.evaluate import page
from recommender.fusion import PARTS, Calibration, Model, Weights, read_model, shipped
from recommender.home import Home
from recommender.measures import MRR, STANDARD, ndcg_at, read_qrels, read_run
from recommender.recommend import Recommender
from recommender.settings import Settings
from recommender.snapshot import read_current
from recommender.trial import Gate, Trial, Truth, facts_of, truth_from_file, truth_from_links
from recommender.trial.baselines import TermBaselines, chance, newest_in_section
from recommender.trial.learn import Choice, fit_calibration, fit_weights
from recommender.trial.truth import later_half
from recommender.trial.tune import MIN_QUESTIONS, Tuning, tune_weights, write_model

command = test_cli.command
SYSTEMS = (
    "recommender", "pure ranking", "fusion", "dense alone", "BM25", "TF-IDF", "newest in section", "random",
)  # fmt: skip


def day(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


# What is right.


@pytest.fixture(scope="module")
def newsroom(shared: Settings) -> Recommender:
    return Recommender.open(shared)


LINKED = {
    "ferry-strike": {"ferry-vote": 1, "harbour-plan": 1},
    "ferry-deal": {"ferry-strike": 1},
    "faehren": {"ferry-vote": 1},
}


def test_every_link_between_two_articles_is_a_judgment_and_stubs_are_none(newsroom: Recommender) -> None:
    snapshot = newsroom.snapshot
    assert truth_from_links(snapshot) == Truth(LINKED, "links")
    assert sum(snapshot.columns.stub[target] for _, target in snapshot.graph.edges) == 1


@pytest.mark.parametrize(
    ("since", "before", "queries"),
    [
        ("2025-03-14T10:00:00", None, {"ferry-deal", "faehren"}),
        ("2025-03-14T10:00:01", None, {"ferry-deal"}),
        (None, "2025-03-14T10:00:00", {"ferry-strike"}),
        (None, "2025-03-14T10:00:01", {"ferry-strike", "faehren"}),
        ("2025-03-14T10:00:00", "2025-03-14T10:00:01", {"faehren"}),
    ],
)
def test_a_span_takes_links_from_its_first_moment_to_before_its_last(
    newsroom: Recommender, since: str | None, before: str | None, queries: set[str]
) -> None:
    span = [day(text) if text else None for text in (since, before)]
    truth = truth_from_links(newsroom.snapshot, *span)
    assert truth == Truth({query: LINKED[query] for query in LINKED if query in queries}, "links", *span)


def test_links_to_itself_and_repeated_ones_are_no_judgments(tmp_path: Path) -> None:
    target = story(0, 1)
    twice = (ReadMore(story(0, 0).title), ReadMore(target.title), ReadMore(target.title))
    undated = replace(story(0, 2), published_at=None, read_more=(ReadMore(target.title),))
    made = opened(tmp_path / "home", [replace(story(0, 0), read_more=twice), target, undated]).snapshot
    assert truth_from_links(made).qrels == {"s00-00": {"s00-01": 1}, "s00-02": {"s00-01": 1}}
    assert truth_from_links(made, since=day("1970-01-01")).qrels == {"s00-00": {"s00-01": 1}}
    assert truth_from_links(made, before=day("2100-01-01")).qrels == {"s00-00": {"s00-01": 1}}


def test_an_archive_without_links_has_nothing_to_measure_with(tmp_path: Path, newsroom: Recommender) -> None:
    message = "no article of this span links to another one of the archive, so there is nothing to measure against"
    with pytest.raises(InputError, match=message):
        truth_from_links(opened(tmp_path / "home", [story(0, 0), story(0, 1)]).snapshot)
    with pytest.raises(InputError, match=message):
        truth_from_links(newsroom.snapshot, since=day("2025-03-21"))


def test_the_later_half_begins_in_the_middle_of_the_linking_articles(newsroom: Recommender, tmp_path: Path) -> None:
    assert later_half(newsroom.snapshot) == day("2025-03-14T10:00:00")
    undated = replace(story(0, 0), published_at=None, read_more=(ReadMore(story(0, 1).title),))
    assert later_half(opened(tmp_path / "home", [undated, story(0, 1)]).snapshot) is None


@pytest.fixture(scope="module")
def blanks(tmp_path_factory: pytest.TempPathFactory) -> Recommender:
    """An archive whose ids hold blanks, and one story without a date."""
    home = tmp_path_factory.mktemp("blanks") / "home"
    articles = [replace(story(0, number), id=f"story {number}") for number in range(3)]
    return opened(home, [*articles, replace(story(0, 3), published_at=None)])


def test_judgments_are_read_from_a_file_with_ids_as_trec_files_write_them(blanks: Recommender, tmp_path: Path) -> None:
    path = tmp_path / "judged.txt"
    path.write_text(
        "\ufeffstory%200 0 story%201 2\nstory%200\t0\ts00-03 0\n\nnobody 0 story%202 1\ns00-03 0 no%20where 1\n",
        encoding="utf-8",
    )
    assert truth_from_file(path, blanks.snapshot) == Truth(
        {"story 0": {"story 1": 2, "s00-03": 0}, "nobody": {"story 2": 1}, "s00-03": {"no%20where": 1}}, "judged.txt"
    )


def test_a_span_leaves_out_queries_that_are_outside_undated_or_unknown(blanks: Recommender, tmp_path: Path) -> None:
    path = tmp_path / "judged.txt"
    queries = ("story%200", "story%201", "story%202", "s00-03", "nobody")
    path.write_text("".join(f"{query} 0 elsewhere 1\n" for query in queries), encoding="utf-8")
    since, before = day("2025-01-11"), day("2025-01-21")
    assert set(truth_from_file(path, blanks.snapshot, since).qrels) == {"story 1", "story 2"}
    assert set(truth_from_file(path, blanks.snapshot, None, before).qrels) == {"story 0", "story 1"}
    assert truth_from_file(path, blanks.snapshot, since, before).qrels == {"story 1": {"elsewhere": 1}}


@pytest.mark.parametrize("line", ["a 0 b", "a 0 b one", "a 0 b 1 c", "a 0 b 1.5"])
def test_a_line_that_is_no_judgment_is_named(newsroom: Recommender, tmp_path: Path, line: str) -> None:
    path = tmp_path / "judged.txt"
    path.write_text(f"a 0 b 1\n{line}\n", encoding="utf-8")
    with pytest.raises(InputError, match=rf"judged\.txt, line 2: needs four columns, .* it reads '{re.escape(line)}'"):
        truth_from_file(path, newsroom.snapshot)


def test_a_file_that_cannot_be_read_is_named(newsroom: Recommender, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"nowhere\.txt: cannot be read: No such file or directory"):
        truth_from_file(tmp_path / "nowhere.txt", newsroom.snapshot)
    (tmp_path / "latin.txt").write_bytes(b"caf\xe9 0 b 1\n")
    with pytest.raises(InputError, match=r"latin\.txt: is not UTF-8"):
        truth_from_file(tmp_path / "latin.txt", newsroom.snapshot)


# The baselines.


def test_bm25_is_what_the_formula_gives_by_hand() -> None:
    """Lucene's form: idf ln(1 + (N − n + ½) / (n + ½)), tf / (tf + 1.2 · (¼ + ¾ · length / mean length)), summed over the query."""
    made = TermBaselines([("ferry strike ferry", None), ("harbour strike", None), ("cup final penalty kick", None)])
    ferry, strike = math.log(1 + 2.5 / 1.5), math.log(1 + 1.5 / 2.5)
    mean = 9 / 3
    lengths = [1.2 * (0.25 + 0.75 * length / mean) for length in (3, 2)]
    first = 2 * ferry * 2 / (2 + lengths[0]) + strike * 1 / (1 + lengths[0])
    second = strike * 1 / (1 + lengths[1])
    assert made.bm25(0).tolist() == pytest.approx([first, second, -math.inf], abs=1e-6)
    assert made.bm25_of("a strike of nobody", None).tolist() == pytest.approx(
        [strike / (1 + lengths[0]), second, 0.0], abs=1e-6
    )
    assert made.bm25_of("nothing", None).tolist() == [0.0, 0.0, 0.0]


def test_full_text_search_compares_stems() -> None:
    made = TermBaselines([("ferries", "en"), ("ferry", "en"), ("ferries", None)])
    for scores in (made.bm25(0), made.tfidf(0)):
        assert scores[0] == scores[1] > 0
        assert scores[2] == -math.inf


def test_an_article_without_a_single_term_finds_nothing() -> None:
    made = TermBaselines([("?!", "en"), ("", None), ("ferry", "en")])
    for row in (0, 1):
        assert made.tfidf(row).tolist() == [-math.inf] * 3
        assert made.bm25(row).tolist() == [-math.inf] * 3


@examples(deadline=None, max_examples=30)
@given(
    st.lists(
        st.lists(st.sampled_from(["ferry", "strike", "cup", "final", "pilot"]), max_size=7), min_size=2, max_size=6
    )
)
def test_tfidf_is_what_brute_force_gives(documents: list[list[str]]) -> None:
    documents = [*documents, ["harbour"]]
    made = TermBaselines((" ".join(document), None) for document in documents)
    n_with = Counter(word for document in documents for word in set(document))
    vectors = [
        {
            word: (1 + math.log(count)) * (math.log((1 + len(documents)) / (1 + n_with[word])) + 1)
            for word, count in Counter(document).items()
        }
        for document in documents
    ]
    for row, one in enumerate(vectors):
        expected = []
        for other in vectors:
            dot = sum(weight * other.get(word, 0.0) for word, weight in one.items())
            lengths = math.prod(math.sqrt(sum(weight**2 for weight in each.values())) for each in (one, other))
            expected.append(dot / lengths if dot else -math.inf)
        assert made.tfidf(row).tolist() == pytest.approx(expected)


def test_the_newest_of_the_section_come_first_then_the_newest_of_the_others(newsroom: Recommender) -> None:
    ids = newsroom.snapshot.dense.ids
    scores = newest_in_section(newsroom.snapshot)(newsroom.snapshot.dense.require_row("ferry-strike"))
    dated = {"faehren", "ferry-vote", "ferry-deal", "cup-final", "harbour-plan"}
    order = [ids[row] for row in np.argsort(-scores, kind="stable") if ids[row] in dated]
    assert order == ["faehren", "ferry-vote", "ferry-deal", "cup-final", "harbour-plan"]


def test_chance_is_the_same_at_every_run_and_another_for_every_article(newsroom: Recommender) -> None:
    one, again = (chance(newsroom.snapshot) for _ in range(2))
    orders = [tuple(one(row).argsort()) for row in range(len(newsroom.snapshot))]
    assert orders == [tuple(again(row).argsort()) for row in reversed(range(len(newsroom.snapshot)))][::-1]
    assert len(set(orders)) == len(orders)


# The trial.


def linking(subjects: int = 5, numbers: int = 4) -> list[Article]:
    """Return stories each of which links to the one before it and to the first of its subject, in order of id."""
    return [
        replace(story(subject, number), read_more=tuple(ReadMore(story(subject, at).title) for at in {number - 1, 0}))
        if number
        else story(subject, number)
        for subject in range(subjects)
        for number in range(numbers)
    ]


def tried(recommender: Recommender, articles: Sequence[Article], truth: Truth | None = None, **given: Any) -> Trial:
    return Trial(recommender, truth or truth_from_links(recommender.snapshot), lambda: iter(articles), **given)


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Recommender:
    return opened(tmp_path_factory.mktemp("trial") / "home", linking())


def test_an_evaluation_holds_every_system_in_both_scopes(archive: Recommender) -> None:
    seen: list[tuple[str, int, int, str]] = []
    made = tried(archive, linking(), watch=lambda *step: seen.append(step)).evaluate()
    for scope in made.scopes.values():
        assert tuple(system.name for system in scope.systems) == SYSTEMS
        scores = {system.name: system.scores["nDCG@5"].mean for system in scope.systems}
        assert scores["recommender"] > scores["newest in section"] > scores["random"]
        assert min(scores["BM25"], scores["TF-IDF"], scores["fusion"], scores["dense alone"]) > scores["random"]
    assert list(made.scopes) == ["any date", "past only"]
    assert (made.ours, made.n_queries, made.n_articles) == ("recommender", 15, 20)
    assert made.measures == tuple(measure.name for measure in STANDARD)
    assert dict(made.described) == {
        "snapshot": "s00000001", "encoder": "hashing@1", "truth": "links", "since": None, "before": None,
    }  # fmt: skip
    assert seen[0] == ("evaluating, any date", 0, 8, "systems")
    assert seen[-1] == ("evaluating, past only", 8, 8, "systems")


@pytest.mark.slow
def test_two_evaluations_agree_byte_by_byte(archive: Recommender, tmp_path: Path) -> None:
    made = []
    for name in ("one", "other"):
        trial = tried(changed(archive), linking())
        evaluation = trial.evaluate()
        trial.write_trec(tmp_path / name)
        files = {path.name: path.read_bytes() for path in (tmp_path / name).iterdir()}
        made.append((json.dumps(evaluation.as_dict()), evaluation.table(), page(evaluation), files))
    assert made[0] == made[1]


@pytest.mark.slow
def test_no_list_holds_its_own_article_a_stub_or_in_the_past_alone_what_came_later(
    archive: Recommender, tmp_path: Path
) -> None:
    stub = replace(story(0, 3), read_more=(ReadMore("A headline that nobody wrote yet"), ReadMore(story(0, 2).title)))
    articles = [stub if article.id == stub.id else article for article in linking()]
    made = opened(tmp_path / "home", articles)
    assert made.snapshot.columns.stub.sum() == 1
    trial = tried(made, articles)
    trial.evaluate()
    trial.write_trec(tmp_path / "trec")
    at = {article.id: article.published_at or day("1970-01-01") for article in articles}
    paths = (tmp_path / "trec").glob("*.run")
    runs = {path.name: read_run(path.read_text(encoding="utf-8").splitlines(), path.name) for path in paths}
    assert len(runs) == 2 * len(SYSTEMS)
    for name, run in runs.items():
        assert set(run) == set(trial.qrels) or name.startswith("past-only")
        for query, found in run.items():
            assert query not in found
            assert set(found) <= set(at)
            if name.startswith("past-only"):
                assert all(at[each] <= at[query] for each in found)
    assert len(runs["any-date.random.run"]["s00-03"]) == 19


def test_a_story_without_a_date_leaves_only_the_scope_of_any_date(tmp_path: Path) -> None:
    articles = [replace(article, published_at=None) if article.id == "s01-02" else article for article in linking(2)]
    made = opened(tmp_path / "home", articles)
    assert list(tried(made, articles).evaluate().scopes) == ["any date"]


def test_judgments_of_strangers_are_refused(archive: Recommender) -> None:
    with pytest.raises(InputError, match="none of the 1 judged queries is an article of the archive"):
        tried(archive, linking(), Truth({"stranger": {"s00-00": 1}}, "judged.txt")).evaluate()


@pytest.mark.slow
def test_a_query_that_the_archive_does_not_hold_counts_as_missed(archive: Recommender) -> None:
    known = dict(truth_from_links(archive.snapshot).qrels)
    strangers = {f"stranger-{number}": {"s00-00": 1} for number in range(len(known))}
    made = tried(archive, linking(), Truth(known | strangers, "judged.txt")).evaluate()
    alone = MRR.mean(tried(archive, linking()).ours(past_only=False), known)
    assert made.scopes["any date"].systems[0].scores["MRR"].mean == pytest.approx(alone / 2)
    assert made.n_unknown_queries == len(known)


@pytest.mark.slow
def test_the_former_snapshot_is_one_more_baseline(archive: Recommender, tmp_path: Path) -> None:
    older = opened(tmp_path / "home", [article for article in linking() if not article.id.startswith("s04")])
    made = tried(archive, linking(), last=older).evaluate()
    assert tuple(system.name for system in made.scopes["any date"].systems) == (*SYSTEMS, "last snapshot")
    (against,) = [each for each in made.scopes["any date"].differences if each.baseline == "last snapshot"]
    assert against.n_better == 3  # the questions that it does not know


def test_the_facts_of_an_archive_are_those_of_its_articles(newsroom: Recommender) -> None:
    facts = facts_of(newsroom.snapshot)
    assert len(facts) == len(newsroom.snapshot) - 1
    assert asdict(facts["ferry-vote"]) == {
        "title": "Ferry crews vote to strike over night shifts",
        "section": "business",
        "language": "en",
        "published_at": day("2025-03-10T09:00:00"),
    }
    assert (facts["undated"].section, facts["undated"].published_at) == (None, None)


LEAK_TRUTH = Truth({LEAK_QUERY.id: {LEAK_TARGET.id: 1}}, "judged.txt")
LEAK_LINK = (ReadMore(LEAK_TARGET.title),)
LEAK_STORIES = [story(subject, number) for subject in range(10) for number in range(6)]


def place(recommender: Recommender, *, served: bool = False, **options: Any) -> int:
    """Return the place of the target in the list that is measured, 1 for the first."""
    trial = tried(recommender, LEAK_STORIES, LEAK_TRUTH, served=served)
    return 1 + list(trial.ours(past_only=False, **options)[LEAK_QUERY.id]).index(LEAK_TARGET.id)


@pytest.mark.slow
def test_an_evaluation_does_not_see_a_planted_link_that_would_make_it_perfect(tmp_path: Path) -> None:
    """The target is of another subject, so that only a link can find it; who linked it, and when, decides."""
    later = [replace(story(0, number), read_more=LEAK_LINK) for number in (4, 5)]
    hidden = leaky(tmp_path / "hidden", replace(LEAK_QUERY, read_more=LEAK_LINK), *later)
    made = tried(hidden, LEAK_STORIES, LEAK_TRUTH).evaluate()
    for scope in made.scopes.values():
        for system in scope.systems[:4]:
            assert system.scores["nDCG@5"].mean == 0
    served = tried(hidden, LEAK_STORIES, LEAK_TRUTH, served=True).evaluate()
    assert served.scopes["any date"].systems[0].scores["nDCG@5"].mean == 1.0


@pytest.mark.slow
def test_the_same_link_helps_where_an_earlier_story_has_it(tmp_path: Path) -> None:
    nobody = leaky(tmp_path / "nobody")
    own = leaky(tmp_path / "own", replace(LEAK_QUERY, read_more=LEAK_LINK))
    later = leaky(tmp_path / "later", *(replace(story(0, number), read_more=LEAK_LINK) for number in (4, 5)))
    earlier = leaky(tmp_path / "earlier", *(replace(story(0, number), read_more=LEAK_LINK) for number in range(3)))
    far = place(nobody)
    for options in ({}, {"raw": True}):
        assert place(own, **options) == place(later, **options) == far > 10
        assert place(earlier, **options) <= 5
    assert place(earlier, raw=True, ranker="fusion") == place(nobody, raw=True, ranker="fusion") > 10
    assert (place(own, served=True), place(nobody, served=True)) == (1, far)
    assert place(later, served=True) < far


@pytest.mark.slow
def test_an_evaluation_does_not_see_that_the_target_links_back_later(tmp_path: Path) -> None:
    late = replace(LEAK_TARGET, published_at=LEAK_QUERY.published_at and LEAK_QUERY.published_at + timedelta(days=1))
    back = (ReadMore(LEAK_QUERY.title),)
    for name, target, sees in (("early", LEAK_TARGET, True), ("late", late, False)):
        without, linked = leaky(tmp_path / f"{name}-0", target), leaky(tmp_path / name, replace(target, read_more=back))
        assert (place(linked) < place(without)) == sees
        assert (place(linked) == place(without)) != sees
        assert place(linked, served=True) < place(without, served=True)


# Learning.

TRUE_WEIGHTS = Weights(0.8, 0.5, 1.5, 1.0, 0.3, 2.0)
NOTHING = Weights(0.0, 0.0)


def simulated(weights: Sequence[float], n: int = 800, seed: int = 0) -> list[Choice]:
    """Return what editors would take who choose by these weights."""
    random = np.random.default_rng(seed)
    found = []
    for _ in range(n):
        signals = random.normal(size=(20, len(PARTS)))
        odds = np.exp(signals @ weights)
        taken = np.zeros(20)
        taken[random.choice(20, p=odds / odds.sum())] = 1.0
        found.append(Choice(signals, taken))
    return found


def values(weights: Weights) -> list[float]:
    return [getattr(weights, name) for name in PARTS]


def test_weights_by_which_editors_chose_are_found_again() -> None:
    fitted = fit_weights(simulated(values(TRUE_WEIGHTS)), NOTHING, strength=1.0)
    assert values(fitted) == pytest.approx(values(TRUE_WEIGHTS), abs=0.2)


def test_no_weight_is_negative_and_the_others_are_fitted_without_it() -> None:
    found = simulated([0.8, -0.6, 1.5, 0.0, 0.3, 2.0])
    fitted = fit_weights(found, NOTHING, strength=1.0)
    assert fitted.lexical == 0.0
    assert min(values(fitted)) >= 0
    without = [Choice(np.where(np.arange(len(PARTS)) == 1, 0.0, each.signals), each.taken) for each in found]
    assert values(fitted) == pytest.approx(values(fit_weights(without, NOTHING, strength=1.0)), abs=2e-3)


def test_a_fixed_part_keeps_its_weight() -> None:
    prior = replace(NOTHING, links=1.6933, popularity=5.0)
    fitted = fit_weights(simulated(values(TRUE_WEIGHTS), 300), prior, strength=1.0, fixed=("links", "popularity"))
    assert (fitted.links, fitted.popularity) == (1.6933, 5.0)
    assert fitted.freshness > 1.0


def test_a_strong_prior_holds_and_a_weak_one_gives_way() -> None:
    found, prior = simulated(values(TRUE_WEIGHTS), 300), Weights(3.0, 3.0, 0.0, 2.0, 2.0, 0.5)
    assert values(fit_weights(found, prior, strength=1e9)) == pytest.approx(values(prior), abs=1e-3)
    apart = [
        sum(abs(a - b) for a, b in zip(values(fit_weights(found, prior, strength=pull)), values(prior), strict=True))
        for pull in (1e4, 1e2, 1.0)
    ]
    assert apart == sorted(apart)
    assert apart[0] < 1 < apart[2]


def pairs(intercept: float, dense: float, lexical: float, n: int = 20_000) -> list[np.ndarray[Any, Any]]:
    random = np.random.default_rng(3)
    cosines = random.uniform(0, 1, (2, n))
    likely = 1 / (1 + np.exp(-(intercept + dense * cosines[0] + lexical * cosines[1])))
    return [*cosines, (random.random(n) < likely).astype(np.float64)]


def test_a_planted_probability_is_found_again() -> None:
    fitted = fit_calibration(*pairs(-4.0, 6.0, 3.0))
    assert list(asdict(fitted).values()) == pytest.approx([-4.0, 6.0, 3.0], abs=0.25)


@pytest.mark.parametrize(("dense", "lexical"), [(6.0, 3.0), (6.0, -3.0), (-2.0, -1.0)])
def test_no_cosine_speaks_against_a_link_and_as_many_are_said_as_there_are(dense: float, lexical: float) -> None:
    one, other, linked = pairs(-2.0, dense, lexical)
    fitted = fit_calibration(one, other, linked)
    assert min(fitted.dense, fitted.lexical) >= 0
    assert fitted.probability(one, other).mean() == pytest.approx(linked.mean(), rel=0.02)


# Tuning: dossiers of one old story and two that link to it; what is fresh is of other subjects.


def dossiers(noise: int) -> list[Article]:
    """Return 120 stories, 80 of which link; the more noise there is in their texts, the less there is to learn."""
    made = []
    for subject in range(40):
        for number in range(3):
            random = np.random.default_rng([subject, number, 1])
            strange = words_of(50 + int(random.integers(20)))
            text = " ".join([*random.choice(words_of(subject), 12), *random.choice(strange, noise)])
            published_at = datetime(2016, 1, 1, tzinfo=UTC) + timedelta(days=4 * subject + 140 * (number == 2))
            if number == 0:
                published_at = datetime(2005 + 7 * subject % 10, 1, 1, tzinfo=UTC) + timedelta(days=subject)
            links = (ReadMore(story(subject, 0).title),) if number else ()
            made.append(story(subject, number, text=text, published_at=published_at, read_more=links))
    return made


@pytest.fixture(scope="module")
def clear(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Settings of an archive whose links say clearly that age does not matter there."""
    made = settings_for(tmp_path_factory.mktemp("clear") / "home")
    store(made, dossiers(20))
    publish(made)
    return made


def halves(recommender: Recommender) -> tuple[Truth, Truth]:
    split = later_half(recommender.snapshot)
    return truth_from_links(recommender.snapshot, before=split), truth_from_links(recommender.snapshot, since=split)


def test_fewer_than_thirty_questions_are_too_few(clear: Settings) -> None:
    recommender = Recommender.open(clear)
    earlier, later = halves(recommender)
    assert min(len(earlier.qrels), len(later.qrels)) > MIN_QUESTIONS == 30
    few = Truth(dict(list(earlier.qrels.items())[:29]), "links")
    for halved, side in (((few, later), "before"), ((earlier, few), "after")):
        with pytest.raises(
            InputError, match=rf"only 29 articles with links were published {side} the split, at least 30"
        ):
            tune_weights(recommender, *halved, lambda: iter(dossiers(20)), Options())


@pytest.fixture(scope="module")
def tuning(clear: Settings) -> Tuning:
    """What the clear links teach."""
    recommender = Recommender.open(clear)
    return tune_weights(recommender, *halves(recommender), lambda: _articles(clear), Options())


@pytest.mark.slow
def test_weights_that_find_more_of_the_later_links_are_kept(clear: Settings, tuning: Tuning) -> None:
    recommender = Recommender.open(clear)
    earlier, later = halves(recommender)
    assert tuning.kept
    assert tuning.gain.difference.low > 0.1
    assert tuning.gain.p_value < 0.05
    assert tuning.former == recommender.model
    assert tuning.model.article.freshness < tuning.former.article.freshness
    assert min(values(tuning.model.article)) >= 0
    assert tuning.model.text == tuning.former.text
    assert set(tuning.model.calibrations) == {*tuning.former.calibrations, "hashing@1"}
    assert set(tuning.figures) == {"any_date", "past_only"}
    trial = Trial(recommender.with_model(tuning.model), later, lambda: _articles(clear))
    for scope in ("any_date", "past_only"):
        run = trial.ours(past_only=scope == "past_only")
        assert tuning.figures[scope]["tuned"]["nDCG@5"] == pytest.approx(ndcg_at(5).mean(run, later.qrels), abs=1e-4)
    assert f"learned from {len(earlier.qrels)} articles, checked on {len(later.qrels)} later ones" in tuning.lines()


@pytest.mark.slow
def test_what_is_learned_does_not_depend_on_the_links_that_check_it(clear: Settings, tuning: Tuning) -> None:
    recommender = Recommender.open(clear)
    earlier, later = halves(recommender)
    wrong = Truth({query: {min(later.qrels): 1} for query in later.qrels if query != min(later.qrels)}, "links")
    other = tune_weights(recommender, earlier, wrong, lambda: _articles(clear), Options())
    assert other.model == tuning.model
    assert not other.kept


@pytest.mark.slow
def test_fixed_weights_stay_and_from_nothing_forgets_the_rest(clear: Settings) -> None:
    recommender = Recommender.open(clear)
    made = tune_weights(
        recommender, *halves(recommender), lambda: _articles(clear), Options(), from_nothing=True,
        fixed={"freshness": 3.0, "links": 1.5},
    )  # fmt: skip
    assert (made.model.article.freshness, made.model.article.links) == (3.0, 1.5)


def test_a_file_of_weights_is_replaced_and_never_half_written(tmp_path: Path) -> None:
    path = tmp_path / "weights.json"
    write_model(shipped(), path)
    before = path.read_text(encoding="utf-8")
    other = replace(shipped(), article=TRUE_WEIGHTS, calibrations={"hashing@1": {"*": Calibration(-1.0, 2.0, 3.0)}})
    with path.open(encoding="utf-8") as reader:
        write_model(other, path)
        assert reader.read() == before  # who opened it before reads the old one to its end
    assert read_model(path) == replace(other, figures=read_model(path).figures)
    assert read_model(path).article == TRUE_WEIGHTS
    assert [each.name for each in tmp_path.iterdir()] == ["weights.json"]


# The commands.


def as_records(articles: Sequence[Article]) -> Iterator[dict[str, Any]]:
    for article in articles:
        fields = {name: value for name, value in asdict(article).items() if value}
        yield fields | {
            "read_more": [link.title for link in article.read_more],
            **({"published_at": article.published_at.isoformat()} if article.published_at else {}),
        }


Filled = Callable[[Sequence[Article]], Command]


@pytest.fixture(scope="module")
def templates(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Sequence[Article]], Path]:
    """Published homes, each made once."""
    homes: dict[tuple[Article, ...], Path] = {}

    def template(articles: Sequence[Article]) -> Path:
        if (known := tuple(articles)) not in homes:
            homes[known] = tmp_path_factory.mktemp("template") / "home"
            with pytest.MonkeyPatch.context() as patch:
                patch.delenv("RECOMMENDER_HOME", raising=False)  # it would win over the template's own
                opened(homes[known], articles)
        return homes[known]

    return template


@pytest.fixture
def filled_with(command: Command, environment: Path, templates: Callable[[Sequence[Article]], Path]) -> Filled:
    """Put articles into the home of the command line, published; what is put there later is ingested and rebuilt."""

    def fill(articles: Sequence[Article]) -> Command:
        if not environment.exists():
            shutil.copytree(templates(articles), environment)
            return command
        source = write_jsonl(environment.parent / "stories.jsonl", list(as_records(articles)))
        assert command("ingest", source).code == command("rebuild").code == 0
        return command

    return fill


@pytest.mark.slow
def test_tune_keeps_better_weights_and_related_uses_them(filled_with: Filled, environment: Path) -> None:
    command = filled_with(dossiers(20))
    asked = ("related", "s03-02", "-k", "100", "--explain", "--json")
    before = {each["id"]: each["parts"] for each in command(*asked).data["results"]}
    done = command("tune")
    assert done.code == 0
    assert re.search(r"^gain \+0\.\d{4} nDCG@5 \[\+0\.\d+, \+0\.\d+\], p 0\.000$", done.out, re.MULTILINE)
    assert (
        f"kept in {environment / 'weights.json'}; a running service takes it within 1 s, without a rebuild" in done.err
    )
    assert not list(environment.glob(".*.tmp"))
    kept = read_model(environment / "weights.json")
    assert kept.figures["learned_from"]["questions"] + kept.figures["checked_on"]["questions"] == 80
    assert kept.figures["gain"]["p_value"] < 0.05
    ratio = kept.article.freshness / shipped().article.freshness
    after = {each["id"]: each["parts"] for each in command(*asked).data["results"]}
    assert next(iter(after)) == "s03-00"
    for article_id in after.keys() & before.keys():
        faded = before[article_id].get("freshness", 0.0)
        assert after[article_id].get("freshness", 0.0) == pytest.approx(faded * ratio, abs=1e-5)
    assert len(after.keys() & before.keys()) > 5


@pytest.mark.slow
def test_tune_keeps_nothing_that_is_not_better_beyond_noise(filled_with: Filled, environment: Path) -> None:
    command = filled_with(dossiers(60))
    done = command("tune")
    assert done.code == 1
    assert "not kept: the new weights do not beat those in use on the later links beyond noise" in done.err
    assert not (environment / "weights.json").exists()
    forced = command("tune", "--force", "--json")
    assert (forced.code, forced.data["kept"]) == (0, str(environment / "weights.json"))
    assert forced.data["article"] == asdict(read_model(environment / "weights.json").article)


@pytest.mark.slow
def test_tune_writes_where_it_is_told_and_says_where_it_cannot(filled_with: Filled, environment: Path) -> None:
    command = filled_with(dossiers(20))
    out = environment.parent / "learned.json"
    assert command("tune", "--out", out, "--split", "2016-05-20").code == 0
    assert read_model(out).figures["checked_on"]["since"] == "2016-05-20T00:00:00+00:00"
    assert not (environment / "weights.json").exists()
    nowhere = command("tune", "--out", environment.parent / "no" / "folder.json")
    assert (nowhere.code, nowhere.out) == (1, "")
    assert (
        nowhere.err
        == f"error: {environment.parent / 'no' / 'folder.json'}: cannot be written: No such file or directory\n"
    )


@pytest.mark.parametrize(
    ("articles", "message"),
    [
        (
            linking(8),
            "only 12 articles with links were published before the split, at least 30 are needed; move --split",
        ),
        ([story(0, 0), story(0, 1)], "no article with links has a date, so there is no earlier and later"),
    ],
)
def test_tune_says_what_it_is_missing(
    filled_with: Filled, environment: Path, articles: Sequence[Article], message: str
) -> None:
    done = filled_with(articles)("tune")
    assert done.code == 1
    assert message in done.err
    assert not (environment / "weights.json").exists()


class Reader(HTMLParser):
    """Takes down the attributes of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes.update(name for name, _ in attrs)


@pytest.mark.slow
def test_evaluate_prints_a_table(filled_with: Filled) -> None:
    done = filled_with(linking())("evaluate")
    assert (done.code, done.err) == (0, "")
    for name in (*SYSTEMS, "any date", "past only", "nDCG@5", "recall@10"):
        assert re.search(re.escape(name), done.out, re.IGNORECASE), name
    assert max(map(len, done.out.splitlines())) <= 110


@pytest.mark.slow
def test_evaluate_prints_json_and_the_same_at_every_run(filled_with: Filled) -> None:
    command = filled_with(linking())
    done = command("evaluate", "--json")
    assert done.code == 0
    assert [system["name"] for system in done.data["scopes"]["any_date"]["systems"]] == list(SYSTEMS)
    assert done.data["n_queries"] == 15
    assert command("evaluate", "--json").out == done.out
    later = command("evaluate", "--json", "--since", "2025-01-31", "--before", "2025-02-10").data
    assert later["n_queries"] == 5
    assert later["described"]["since"] == "2025-01-31T00:00:00+00:00"


@pytest.mark.slow
def test_evaluate_writes_a_page_that_needs_nothing_else(filled_with: Filled, tmp_path: Path) -> None:
    done = filled_with(linking())("evaluate", "--report", tmp_path / "page.html")
    assert (done.code, done.err) == (0, f"written: {tmp_path / 'page.html'}\n")
    text = (tmp_path / "page.html").read_text(encoding="utf-8")
    reader = Reader()
    reader.feed(text)
    assert text.startswith("<!doctype html>")
    assert reader.tags >= {"html", "svg", "table"}
    assert reader.tags.isdisjoint({"script", "link", "img", "iframe", "object"})
    assert reader.attributes.isdisjoint({"src", "href", "srcset"})
    assert not re.search(r"https?://(?!www\.w3\.org/)|@import|url\(", text)


@pytest.mark.slow
def test_evaluate_writes_trec_files_that_give_its_figures_again(filled_with: Filled, tmp_path: Path) -> None:
    command = filled_with(linking())
    done = command("evaluate", "--json", "--trec", tmp_path / "trec")
    qrels = read_qrels((tmp_path / "trec" / "qrels.txt").read_text(encoding="utf-8").splitlines())
    assert sum(map(len, qrels.values())) == done.data["n_relevant"]
    for name, scope in (("any-date", "any_date"), ("past-only", "past_only")):
        for system in done.data["scopes"][scope]["systems"]:
            path = tmp_path / "trec" / f"{name}.{system['name'].casefold().replace(' ', '-')}.run"
            run = read_run(path.read_text(encoding="utf-8").splitlines(), path.name)
            for measure in STANDARD:
                assert system["scores"][measure.name]["mean"] == pytest.approx(measure.mean(run, qrels), abs=2e-6)
    again = command("evaluate", "--json", "--qrels", tmp_path / "trec" / "qrels.txt")
    assert again.data["scopes"] == done.data["scopes"]
    assert again.data["described"]["truth"] == "qrels.txt"


@pytest.mark.slow
def test_evaluate_compares_with_a_former_snapshot(filled_with: Filled, tmp_path: Path) -> None:
    command = filled_with(linking())
    filled_with(linking(6))
    for arguments in ((), ("--against", "s00000001")):
        done = command("evaluate", "--json", *arguments)
        names = [system["name"] for system in done.data["scopes"]["any_date"]["systems"]]
        assert names == [*SYSTEMS, "last snapshot"]
    for name, message in (
        ("s00000099", "s00000099"),
        ("s00000002", "--against: s00000002 is the live snapshot itself"),
    ):
        done = command("evaluate", "--against", name)
        assert (done.code, done.out) == (1, "")
        assert message in done.err
        assert done.err.startswith("error: ")


@pytest.mark.slow
def test_evaluate_passes_over_a_former_snapshot_that_is_damaged(filled_with: Filled, environment: Path) -> None:
    command = filled_with(linking())
    filled_with(linking(6))
    (environment / "snapshots" / "s00000001" / "names.json").write_text("{}", encoding="utf-8")
    done = command("evaluate", "--json")
    assert [system["name"] for system in done.data["scopes"]["any_date"]["systems"]] == list(SYSTEMS)
    assert "the snapshot before, s00000001, cannot be compared with: " in done.err
    assert command("evaluate", "--against", "s00000001").code == 1


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--since", "2030-01-01"), "no article of this span links to another one of the archive"),
        (("--qrels", "nowhere.txt"), "nowhere.txt: cannot be read: No such file or directory"),
        (("--qrels", "strangers.txt"), "none of the 1 judged queries is an article of the archive (the first is 'x')"),
        (("--qrels", "broken.txt"), "broken.txt, line 1: needs four columns"),
        (("--report", "no/folder/page.html"), "no/folder/page.html: cannot be written: No such file or directory"),
        (("--trec", "broken.txt"), "broken.txt: cannot be written"),
    ],
)
def test_evaluate_says_what_is_wrong(
    filled_with: Filled, environment: Path, arguments: tuple[str, ...], message: str
) -> None:
    command = filled_with(linking(2))
    (environment.parent / "strangers.txt").write_text("x 0 y 1\n", encoding="utf-8")
    (environment.parent / "broken.txt").write_text("x y\n", encoding="utf-8")
    done = command("evaluate", *arguments)
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith("error: ")
    assert message in done.err


@pytest.mark.parametrize("name", ["evaluate", "tune"])
def test_a_home_without_an_index_says_what_to_run(command: Command, name: str) -> None:
    done = command(name)
    assert done.code == 1
    assert "no index has been published here; run: recommender ingest SOURCE, then: recommender rebuild" in done.err


@pytest.mark.slow
def test_evaluate_measures_an_archive_in_which_a_headline_has_no_words(filled_with: Filled) -> None:
    wordless = Article("a", "?!", published_at=day("2025-03-01"), read_more=(ReadMore(story(0, 0).title),))
    assert filled_with([wordless, *linking(2)])("evaluate").code == 0


# The gate.


def turned(articles: Sequence[Article]) -> list[Article]:
    """Return the same ids with texts of other subjects, so that no list stays what it was."""
    made = []
    for article in articles:
        subject, number = int(article.id[1:3]), int(article.id[4:6])
        other = story((subject + 3 * number + 1) % 8, number + 20)
        made.append(replace(article, title=other.title, text=other.text))
    return made


PLAIN = [story(subject, number) for subject in range(8) for number in range(6)]
YOUNG = [story(subject, number) for subject in range(8) for number in (6, 7)]


def gate(recommender: Recommender, max_churn: float = 0.3) -> Gate:
    return Gate(recommender, Options(), max_churn=max_churn)


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Recommender:
    return opened(tmp_path_factory.mktemp("plain") / "home", PLAIN)


def test_an_equal_snapshot_passes_with_no_change(plain: Recommender, archive: Recommender) -> None:
    verdict = gate(plain, 0.0).check(changed(plain))
    assert (verdict.churn, verdict.n_lists, verdict.changes, verdict.problems) == (0.0, 48, (), ())
    assert verdict.gain is None  # there are no links to measure with
    linked = gate(archive, 0.0).check(changed(archive))
    assert linked.gain is not None
    assert (linked.gain.difference.mean, linked.gain.n_equal) == (0.0, 15)


@pytest.mark.slow
def test_lists_that_are_turned_over_are_refused(plain: Recommender, tmp_path: Path) -> None:
    new = opened(tmp_path / "home", turned(PLAIN))
    verdict = gate(plain).compare(new)
    assert verdict.churn > 0.8
    assert len(verdict.changes) == 10
    with pytest.raises(GateError, match=r"it changes \d+\.\d% of the first five, at most 30\.0% are allowed") as caught:
        gate(plain).check(new)
    assert list(caught.value.lines) == verdict.lines()
    assert gate(plain, 1.0).check(new) == replace(verdict, problems=())


@pytest.mark.slow
def test_churn_is_the_mean_share_of_the_first_five_that_are_gone(plain: Recommender, tmp_path: Path) -> None:
    """The oracle compares the lists themselves."""
    new = opened(tmp_path / "home", [*turned(PLAIN[:12]), *PLAIN[12:]])
    verdict = gate(plain, 1.0).compare(new)
    shares = {}
    for article in PLAIN:
        before, after = ({hit.article_id for hit in each.related_hits(article.id)} for each in (plain, new))
        shares[article.id] = len(before - after) / len(before)
    assert 0 < verdict.churn < 1
    assert verdict.churn == pytest.approx(sum(shares.values()) / len(PLAIN))
    worst = sorted(shares, key=lambda article_id: (-shares[article_id], article_id))[:10]
    assert [change.id for change in verdict.changes] == worst
    for change in verdict.changes:
        assert len(change.gone) == round(5 * shares[change.id])
        assert len(change.come) == len(change.gone)
    assert any(line.startswith("    - ") for line in verdict.lines())


@pytest.mark.slow
@pytest.mark.parametrize("n_young", [2, 16])
def test_new_stories_alone_are_no_churn(plain: Recommender, tmp_path: Path, n_young: int) -> None:
    """On a busy day a list of twenty may hold hardly any but new stories; the old ones stand below them as they did."""
    young = [story(3, 6 + number, published_at=day("2025-01-26")) for number in range(n_young)]
    verdict = gate(plain, 1.0).check(opened(tmp_path / "home", [*PLAIN, *young]))
    assert [(change.id, change.gone, change.come) for change in verdict.changes] == []
    assert (verdict.churn, verdict.n_lists) == (0.0, 48)


@pytest.mark.slow
def test_stories_that_are_gone_are_no_churn(plain: Recommender, tmp_path: Path) -> None:
    left = [article for article in PLAIN if article.id != "s03-05"]
    verdict = gate(plain, 0.0).check(opened(tmp_path / "home", left))
    assert (verdict.churn, verdict.n_lists) == (0.0, 47)


@pytest.mark.slow
def test_an_index_that_finds_fewer_of_the_editors_links_is_refused(archive: Recommender, tmp_path: Path) -> None:
    articles = [replace(new, read_more=old.read_more) for new, old in zip(turned(linking()), linking(), strict=True)]
    titles = dict(zip((old.title for old in linking()), (new.title for new in articles), strict=True))
    articles = [
        replace(each, read_more=tuple(ReadMore(titles[link.title]) for link in each.read_more)) for each in articles
    ]
    new = opened(tmp_path / "home", articles)
    assert truth_from_links(new.snapshot).qrels == truth_from_links(archive.snapshot).qrels
    with pytest.raises(
        GateError, match=r"finds fewer of the editors' links than the live one, beyond noise \(-0\.\d+ nDCG"
    ):
        gate(archive, 1.0).check(new)
    better = gate(new, 1.0).check(archive)
    assert better.gain is not None
    assert better.gain.difference.low > 0


def test_of_a_large_archive_no_more_lists_are_compared_than_a_night_has_time_for(plain: Recommender) -> None:
    """The fake answers at once for five thousand stories."""
    ids = [f"{number:05d}" for number in range(5000)]
    asked: list[str] = []

    def related_hits(article_id: str, options: Options) -> list[Any]:
        asked.append(article_id)
        return []

    snapshot = SimpleNamespace(
        dense=SimpleNamespace(ids=ids, row_of=set(ids).intersection),
        columns=SimpleNamespace(stub=np.zeros(5000, np.bool_), published_at=np.zeros(5000)),
        graph=SimpleNamespace(edges=np.zeros((0, 2), np.int32)),
    )
    snapshot.dense.row_of = {article_id: row for row, article_id in enumerate(ids)}.get
    large: Any = SimpleNamespace(snapshot=snapshot, related_hits=related_hits)
    verdict = gate(large).compare(large)
    assert 2000 <= verdict.n_lists <= 2500
    assert len(asked) == 2 * verdict.n_lists
    assert (asked[0], asked[-1] > "04990") == ("00000", True)


def live(home: Path) -> str:
    return read_current(Home(home))[0]


@pytest.mark.slow
def test_the_gate_lets_the_first_snapshot_and_an_equal_one_pass(
    command: Command, tmp_path: Path, environment: Path
) -> None:
    command("ingest", write_jsonl(tmp_path / "stories.jsonl", list(as_records(PLAIN))))
    first = command("rebuild", "--gate")
    assert first.code == 0
    assert "the gate has nothing to compare with: " in first.err
    again = command("rebuild", "--gate")
    assert again.code == 0
    assert "compared with the live index: 0.0% of the first five changed in 48 lists" in again.err
    assert live(environment) == "s00000002"


@pytest.mark.slow
def test_the_gate_holds_back_what_turns_lists_over_until_it_is_forced(
    filled_with: Filled, tmp_path: Path, environment: Path
) -> None:
    command = filled_with(PLAIN)
    command("ingest", write_jsonl(tmp_path / "stories.jsonl", list(as_records(turned(PLAIN)))))
    held = command("rebuild", "--gate")
    assert (held.code, held.out) == (1, "")
    assert re.search(r"compared with the live index: \d+\.\d% of the first five changed in 48 lists", held.err)
    assert re.search(
        r"^error: the new index was not published: it changes .*\. Publish it with --force$", held.err, re.M
    )
    assert live(environment) == "s00000001"
    assert command("related", "s02-03", "--json").data["snapshot"] == "s00000001"
    assert command("verify").code == 0

    forced = command("rebuild", "--gate", "--force")
    assert forced.code == 0
    assert forced.out.startswith("published s00000002: 48 articles")
    assert re.search(r"compared with the live index: \d+\.\d% of the first five changed", forced.err)
    assert live(environment) == "s00000002"


@pytest.mark.slow
def test_new_stories_pass_the_gate(filled_with: Filled, tmp_path: Path, environment: Path) -> None:
    command = filled_with(PLAIN)
    command("ingest", write_jsonl(tmp_path / "stories.jsonl", list(as_records(YOUNG))))
    done = command("rebuild", "--gate")
    assert done.code == 0
    assert "compared with the live index: 0.0% of the first five changed in 48 lists" in done.err
    assert live(environment) == "s00000002"


@pytest.mark.slow
def test_the_settings_turn_the_gate_on_and_a_flag_turns_it_off(
    filled_with: Filled, tmp_path: Path, environment: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = filled_with(PLAIN)
    command("ingest", write_jsonl(tmp_path / "stories.jsonl", list(as_records(turned(PLAIN)))))
    monkeypatch.setenv("RECOMMENDER_GATE__ON", "true")
    assert command("rebuild").code == 1
    monkeypatch.setenv("RECOMMENDER_GATE__MAX_CHURN", "1.0")
    assert command("rebuild").code == 0
    command("ingest", write_jsonl(tmp_path / "stories.jsonl", list(as_records(PLAIN))))
    monkeypatch.setenv("RECOMMENDER_GATE__MAX_CHURN", "0.3")
    ungated = command("rebuild", "--no-gate")
    assert ungated.code == 0
    assert "compared with" not in ungated.err
    assert live(environment) == "s00000003"


@pytest.mark.slow
def test_the_gate_compares_with_the_weights_in_use(clear: Settings) -> None:
    assert ranking_model(Home(clear.home), clear.ranking) == shipped()
    live_one = Recommender.open(clear)
    other = live_one.with_model(Model(Weights(0.0, 1.0), shipped().text))
    assert Gate(live_one, Options(), max_churn=1.0).compare(other).churn > 0.2
