"""Laws of the ranking: what may and what may not move a list. A hundred small stories, the encoder without a model."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from newsroom import publish, settings_for, store

from recommender.answer import Options
from recommender.article import Article, ReadMore
from recommender.editorial import parse_rules
from recommender.errors import GateError, InputError
from recommender.fusion import PARTS, Weights
from recommender.home import Home
from recommender.rank import Filters
from recommender.recommend import Recommender
from recommender.trial import Gate, Trial, truth_from_links
from recommender.trial.learn import Choice, fit_calibration, fit_weights
from recommender.trial.tune import tune_weights

START = datetime(2024, 1, 1, tzinfo=UTC)
SUBJECTS = (
    "ferry harbour strike crew",
    "river flood dam valley",
    "court trial judge appeal",
    "vaccine fever clinic dose",
)
N = 100
RAW = Options(k=20, raw=True)


def _story(number: int, links: Sequence[int] = ()) -> Article:
    random = np.random.default_rng(number)
    subject = SUBJECTS[number % 4].split()
    words = [*random.permutation(subject), *(f"word{each}" for each in random.integers(0, 60, 12))]
    text = " ".join(
        [*words, *random.permutation(subject), f"name{number // 4 % 9} speaks again about the {subject[0]}"]
    )
    return Article(
        f"s{number:03d}",
        f"{subject[0]} {subject[number % 3]} name{number // 4 % 9}",
        text=text,
        published_at=START + timedelta(days=number),
        language="en",
        section=subject[0],
        read_more=tuple(ReadMore(f"story {target}", f"https://linden.example/s{target:03d}") for target in links),
        url=f"https://linden.example/s{number:03d}",
    )


def _archive(links: dict[int, Sequence[int]] | None = None) -> list[Article]:
    return [_story(number, (links or {}).get(number, ())) for number in range(N)]


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Recommender]:
    made: dict[str, Recommender] = {}

    def of(links: dict[int, Sequence[int]] | None = None, rules: str = "") -> Recommender:
        key = f"{links}{rules}"
        if key not in made:
            settings = settings_for(tmp_path_factory.mktemp("laws") / "home")
            store(settings, _archive(links))
            publish(settings)
            Home(settings.home).rules.write_text(rules, encoding="utf-8")
            made[key] = Recommender.open(settings)
        return made[key]

    return of


def _earlier_links() -> dict[int, Sequence[int]]:
    """Every story from the twentieth on links to the two before it on its subject."""
    return {number: (number - 4, number - 8) for number in range(20, N)}


def _named_links() -> dict[int, Sequence[int]]:
    """Every story from the thirty-sixth on links to the one on its subject and its name before it."""
    return {number: (number - 36,) for number in range(36, N)}


Opened = Callable[..., Recommender]


def _articles(recommender: Recommender) -> Callable[[], Iterator[Article]]:
    return lambda: iter(_archive())


def test_a_planted_own_link_changes_no_score_of_the_own_list(opened: Opened) -> None:
    planted = _earlier_links() | {60: (3, 5, 7)}
    plain, with_link = opened(_earlier_links() | {60: ()}), opened(planted)
    assert plain.related_hits("s060", RAW) == with_link.related_hits("s060", RAW)
    shown = [hit.article_id for hit in with_link.related_hits("s060")]
    assert shown[:3] == ["s003", "s005", "s007"]  # readers see them all the same


def test_a_blind_trial_sees_neither_the_links_that_it_predicts_nor_later_ones(opened: Opened) -> None:
    # Links that no likeness explains: found, they would make the score perfect.
    unlike = {number: (number - 17, number - 18, number - 19) for number in range(40, N)}
    recommender = opened(unlike)
    truth = truth_from_links(recommender.snapshot)
    lists = Trial(recommender, truth, _articles(recommender)).ours(past_only=False)
    without = opened({number: targets for number, targets in unlike.items() if number < 70})
    blind = Options(k=20, blind=True, raw=True)
    assert recommender.related_hits("s070", blind) == without.related_hits("s070", blind)
    served = recommender.related_hits("s070")
    assert [hit.article_id for hit in served][:3] == ["s053", "s052", "s051"]
    assert lists["s070"][:3] != ["s053", "s052", "s051"]


def test_what_editors_of_earlier_like_stories_linked_to_is_known_to_a_blind_trial(opened: Opened) -> None:
    # Everybody writing about the subject of s060 linked to s002 before.
    links = dict.fromkeys(range(24, 60, 4), (2,))
    blind = Options(k=50, blind=True, raw=True)
    rank = [hit.article_id for hit in opened(links).related_hits("s060", blind)].index("s002")
    before = [hit.article_id for hit in opened().related_hits("s060", blind)]
    assert rank < (before.index("s002") if "s002" in before else 50)


@pytest.mark.parametrize("options", [Options(), RAW, Options(ranker="fusion"), Options(diversity=1.0, floor=0.0)])
def test_a_longer_list_begins_with_the_shorter_one(opened: Opened, options: Options) -> None:
    recommender = opened(_earlier_links())
    for article_id in ("s000", "s033", "s099"):
        long = recommender.related_hits(article_id, dataclasses.replace(options, k=12))
        for k in (1, 5, 11):
            assert recommender.related_hits(article_id, dataclasses.replace(options, k=k)) == long[:k]


def test_filters_and_exclusions_change_no_score_of_what_stays(opened: Opened) -> None:
    recommender = opened(_earlier_links())
    everything = dict(recommender.related_hits("s050", Options(k=99, raw=True)))
    narrow = Options(k=99, raw=True, filters=Filters(sections=("river",), exclude=frozenset(["s046"])))
    some = dict(recommender.related_hits("s050", narrow))
    assert some
    assert "s046" not in some
    for article_id, score in some.items():
        if article_id in everything:
            assert score == everything[article_id]


def test_the_parts_are_the_score_and_a_ranker_alone_is_its_cosine(opened: Opened) -> None:
    recommender = opened(_earlier_links())
    for result in recommender.related("s050", Options(k=10, explain=True)).results:
        assert result.details is not None
        assert sum(result.details["parts"].values()) == pytest.approx(result.score, abs=1e-5)
        for ranker in ("dense", "lexical"):
            alone = dict(recommender.related_hits("s050", Options(k=99, raw=True, ranker=ranker)))
            if result.id in alone:
                assert alone[result.id] == pytest.approx(result.details["cosines"][ranker], abs=1e-5)


def test_freshness_moves_the_nearer_in_time_ahead_and_can_be_turned_off(opened: Opened) -> None:
    recommender = opened()
    faded = dict(recommender.related_hits("s099", Options(k=99, raw=True)))
    timeless = dict(recommender.related_hits("s099", Options(k=99, raw=True, freshness=False)))
    lost = {each: timeless[each] - faded[each] for each in faded if each in timeless}
    by_age = sorted(lost, reverse=True)  # ids stand in the order of time
    assert [lost[each] for each in by_age] == sorted(lost.values())
    assert lost["s098"] < 0.1 < lost[min(lost)]


def test_of_near_copies_one_is_shown_and_never_the_articles_own(tmp_path: Path) -> None:
    settings = settings_for(tmp_path / "home")
    texts = _archive()
    long = " ".join(f"{word} {number}" for number, word in enumerate(texts[10].text.split() * 3))
    original = dataclasses.replace(texts[10], text=long)
    wire = dataclasses.replace(original, id="wire", url=None, title="Agency: " + original.title, kind="wire")
    second = dataclasses.replace(original, id="second", url=None, text=long + " and a line of our own")
    store(settings, [*texts[:10], original, *texts[11:], wire, second])
    publish(settings)
    recommender = Recommender.open(settings)
    assert not {"wire", "second"} & {
        hit.article_id for hit in recommender.related_hits("s010", Options(k=50, kinds=()))
    }
    asked = Options(k=50, kinds=(), explain=True)
    answer = recommender.related("s014", asked)
    shown = {result.id for result in answer.results} & {"s010", "wire", "second"}
    assert len(shown) == 1
    assert shown != {"wire"}  # own before wire
    hidden = {each["id"]: each["shown_instead"] for each in answer.hidden or ()}
    assert {*hidden} >= {"s010", "wire", "second"} - shown
    assert {hidden[each] for each in {"s010", "wire", "second"} - shown} == shown
    everything = recommender.related_hits("s014", dataclasses.replace(asked, collapse=False, explain=False))
    assert {"s010", "wire", "second"} <= {hit.article_id for hit in everything}


RULES = """
[[pin]]
under = "s050"
show = ["s003", "https://linden.example/s001"]
note = "dossier"
[[block]]
article = "s046"
[[boost]]
article = "s010"
factor = 10
until = 2999-01-01
[[boost]]
section = "river"
factor = 10
until = 2001-01-01
"""


def test_the_desk_has_the_last_word_and_every_rule_shows(opened: Opened) -> None:
    plain, ruled = opened(_earlier_links()), opened(_earlier_links(), RULES)
    answer = ruled.related("s050", Options(k=10, explain=True))
    assert [result.id for result in answer.results][:2] == ["s003", "s001"]
    assert {result.source for result in answer.results[:2]} == {"pinned"}
    assert answer.results[0].reason == "Pinned by the desk: dossier"
    assert "s046" in {hit.article_id for hit in plain.related_hits("s050")}  # its editor links to it
    assert "s046" not in {result.id for result in answer.results}
    assert ("s046", "blocked by the desk") in {(each["id"], each["why"]) for each in answer.hidden or ()}
    before, after = (dict(each.related_hits("s054", Options(k=99))) for each in (plain, ruled))
    assert after["s010"] - before["s010"] == pytest.approx(np.log(10), abs=1e-5)
    assert after["s014"] == before["s014"]  # the boost of the section has ended
    assert ruled.related_hits("s050", RAW) == plain.related_hits("s050", RAW)


def test_rules_that_mean_nothing_here_are_told() -> None:
    from recommender.editorial import Hand

    rules = parse_rules(b'[[block]]\narticle = "nobody"\n', "rules.toml")
    assert Hand.of(rules, lambda reference: None, ()).unresolved == (("rules.toml, block 1", "nobody"),)


def test_a_foreign_story_is_scored_with_vectors_in_place_of_terms(tmp_path: Path) -> None:
    settings = settings_for(tmp_path / "home")
    german = dataclasses.replace(_story(40), id="german", url=None, language="de", title="Fähre")
    store(settings, [*_archive(), german])
    publish(settings)
    told = Recommender.open(settings).explain("s044", "german")
    weights = Recommender.open(settings).model.article
    assert told["cosines"]["lexical"] == 0
    assert told["parts"]["lexical"] / weights.lexical == pytest.approx(told["parts"]["dense"] / weights.dense, abs=1e-4)


def test_learning_finds_the_weights_by_which_editors_chose() -> None:
    random = np.random.default_rng(7)
    true = np.array([0.8, 1.2, 0.0, 0.5, 0.0, 2.0])
    found = []
    for _ in range(600):
        signals = random.normal(size=(30, 6))
        odds = np.exp(signals @ true)
        taken = np.zeros(30)
        taken[random.choice(30, p=odds / odds.sum())] = 1.0
        found.append(Choice(signals, taken))
    fitted = fit_weights(found, Weights(0.0, 0.0), strength=1.0)
    learned = np.array([getattr(fitted, name) for name in PARTS])
    assert learned == pytest.approx(true, abs=0.2)
    assert (learned >= 0).all()
    held = fit_weights(found, Weights(0.0, 0.0, freshness=1.0), strength=1.0, fixed=("freshness",))
    assert held.freshness == 1.0
    stubborn = fit_weights(found, Weights(3.0, 3.0), strength=1e6)
    assert stubborn.dense == pytest.approx(3.0, abs=0.05)


def test_a_calibration_finds_the_probabilities_that_made_the_links() -> None:
    random = np.random.default_rng(3)
    dense, lexical = random.uniform(-0.2, 0.9, 40_000), random.uniform(0, 0.6, 40_000)
    linked = (random.random(40_000) < 1 / (1 + np.exp(6 - 5 * dense - 4 * lexical))).astype(float)
    fitted = fit_calibration(dense, lexical, linked)
    assert (fitted.intercept, fitted.dense, fitted.lexical) == pytest.approx((-6, 5, 4), abs=0.6)


def test_too_few_links_teach_nothing(opened: Opened) -> None:
    recommender = opened({50: (46,), 60: (56,)})
    truth = truth_from_links(recommender.snapshot)
    with pytest.raises(InputError, match="only 2 articles with links were published before the split, at least 30 are"):
        tune_weights(recommender, truth, truth, _articles(recommender), Options())


def test_weights_are_kept_only_where_they_beat_those_in_use(opened: Opened) -> None:
    recommender = opened(_named_links())
    earlier = truth_from_links(recommender.snapshot, before=START + timedelta(days=67))
    later = truth_from_links(recommender.snapshot, since=START + timedelta(days=67))
    bad = dataclasses.replace(recommender.model, article=Weights(0.001, 0.0, popularity=5.0))
    better = tune_weights(recommender.with_model(bad), earlier, later, _articles(recommender), Options())
    assert better.kept
    rounds = [better]
    while rounds[-1].kept and len(rounds) < 12:  # drawn towards those in use, weights move in steps
        model = rounds[-1].model
        rounds.append(tune_weights(recommender.with_model(model), earlier, later, _articles(recommender), Options()))
    assert not rounds[-1].kept
    assert rounds[-1].figures["any_date"]["former"]["nDCG@5"] > better.figures["any_date"]["former"]["nDCG@5"] + 0.1


def test_the_gate_lets_an_equal_index_through_and_holds_a_turned_one_back(opened: Opened) -> None:
    live = opened(_earlier_links())
    verdict = Gate(live, Options(), max_churn=0.1).check(live)
    assert (verdict.churn, verdict.problems, verdict.changes) == (0.0, (), ())
    worse = live.with_model(dataclasses.replace(live.model, article=Weights(0.0, 0.0, popularity=1.0)))
    with pytest.raises(
        GateError, match=r"^the new index was not published: .*changes \d+\.\d% of the first five"
    ) as held:
        Gate(live, Options(same_language=False), max_churn=0.1).check(worse)
    assert any(line.startswith("    - ") for line in held.value.lines)


def test_new_stories_alone_are_no_churn(opened: Opened, tmp_path: Path) -> None:
    live = opened()
    settings = settings_for(tmp_path / "home")
    fresh = [dataclasses.replace(_story(number), id=f"new{number}", url=None) for number in range(92, 96)]
    store(settings, [*_archive(), *fresh])
    publish(settings)
    verdict = Gate(live, Options(), max_churn=0.3).compare(Recommender.open(settings))
    assert verdict.churn < 0.12  # what is rare and what is near shifts a little
    assert not any("new" in change.id for change in verdict.changes)


def test_an_evaluation_has_every_baseline_and_is_the_same_twice(opened: Opened) -> None:
    recommender = opened(_named_links())
    truth = truth_from_links(recommender.snapshot, since=START + timedelta(days=50))
    first, second = (Trial(recommender, truth, _articles(recommender)).evaluate() for _ in range(2))
    assert first.as_dict() == second.as_dict()
    names = [system.name for system in first.scopes["any date"].systems]
    assert names == [
        *("recommender", "pure ranking", "fusion", "dense alone", "BM25", "TF-IDF", "newest in section", "random"),
    ]
    ours, chance = (
        next(s for s in first.scopes["past only"].systems if s.name == name) for name in (names[0], "random")
    )
    assert ours.scores["nDCG@5"].mean > chance.scores["nDCG@5"].mean + 0.1
