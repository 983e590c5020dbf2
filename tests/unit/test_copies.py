from __future__ import annotations

import os
import random
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from recommender.article import Article
from recommender.copies import CopyFinder, CopyRules, agency_version
from recommender.vectors import UNDATED, normalise

SEEDS = st.integers(0, 2**32 - 1)
MANY = settings(deadline=None, max_examples=20)
DAY = 86_400
MONDAY = 1_750_000_000
SYLLABLES = ("ka", "lo", "mi", "ter", "un", "sa", "vel", "dor", "pri", "ge", "nah", "bu")


def _words(seed: int, n_words: int, letters: Sequence[str] = SYLLABLES) -> list[str]:
    chance = random.Random(seed)
    return ["".join(chance.choices(letters, k=chance.randint(2, 4))) for _ in range(n_words)]


def _paragraphs(words: Sequence[str], size: int = 50) -> str:
    return "\n".join(" ".join(words[at : at + size]) + "." for at in range(0, len(words), size))


def _story(seed: int, n_words: int = 400, *, letters: Sequence[str] = SYLLABLES) -> Article:
    title = " ".join(_words(seed + 1_000_000, 7, letters)).capitalize()
    return Article(id=f"story-{seed}", title=title, text=_paragraphs(_words(seed, n_words, letters)))


def _groups(
    articles: Sequence[Article],
    dates: Sequence[int] | None = None,
    cosine: float = 1.0,
    finder: CopyFinder | None = None,
) -> list[int]:
    """Return the groups of articles that were printed at one time and of which any two have this cosine."""
    finder = finder or CopyFinder()
    for article in articles:
        finder.add(article)
    n = len(articles)
    vectors = np.hstack([np.full((n, 1), cosine**0.5), np.eye(n) * (1 - cosine) ** 0.5]).astype(np.float32)
    groups = finder.groups(vectors, np.array([MONDAY] * n if dates is None else dates, np.int64))
    assert groups.dtype == np.int32
    assert groups.shape == (n,)
    return groups.tolist()


def _cut(article: Article, share: float) -> Article:
    words = article.text.split(" ")
    return replace(article, text=" ".join(words[: int(len(words) * share)]))


def _with_lead(article: Article) -> Article:
    return replace(article, text="\n".join([_paragraphs(_words(71, 50)), *article.text.split("\n")[1:]]))


def _with_local_paragraphs(article: Article) -> Article:
    first, second, *rest = article.text.split("\n")
    return replace(
        article, text="\n".join([first, _paragraphs(_words(72, 60)), second, *rest, _paragraphs(_words(73, 60))])
    )


def _with_changed_words(article: Article, step: int) -> Article:
    words = article.text.split(" ")
    words[::step] = _words(74, len(words[::step]))
    return replace(article, text=" ".join(words))


EDITS: dict[str, Callable[[Article], Article]] = {
    "nothing": lambda article: article,
    "headline": lambda article: replace(article, title="What the harbour strike means for you"),
    "tail cut by three tenths": lambda article: _cut(article, 0.7),
    "tail cut by half": lambda article: _cut(article, 0.5),
    "lead written anew": _with_lead,
    "two local paragraphs": _with_local_paragraphs,
    "every twentieth word": lambda article: _with_changed_words(article, 20),
    "headline, lead and tail": lambda article: replace(
        _with_lead(_cut(article, 0.7)), title="Another headline of the desk"
    ),
    "case and apostrophes": lambda article: replace(article, text=article.text.upper().replace("'", "’")),
}


@pytest.mark.parametrize("edit", EDITS)
def test_an_edited_copy_is_found_among_others_and_nothing_else_is(edit: str) -> None:
    original = replace(_story(1), text=_story(1).text.replace("ka", "k'a"))

    assert _groups([_story(2), original, _story(3), EDITS[edit](original), _story(4)]) == [-1, 1, -1, 1, -1]


def test_a_standfirst_stands_for_a_text_that_is_missing() -> None:
    text, other = _story(1).text, _story(2).text
    notes = [
        Article(id=str(row), title="News in brief", description=body) for row, body in enumerate([text, other, text])
    ]

    assert _groups(notes) == [0, -1, 0]


def _weather(day: str, seed: int) -> Article:
    chance = random.Random(seed)
    sky = ("sunny", "cloudy", "rainy", "foggy", "stormy", "bright", "dry")
    text = (
        f"{day} starts {chance.choice(sky)} on the coast and turns {chance.choice(sky)} towards noon with highs of "
        f"{chance.randint(2, 28)} degrees in Port Linden and {chance.randint(2, 28)} degrees in the valleys.\n"
        f"The wind blows from the {chance.choice(('north', 'west', 'south'))} at {chance.randint(5, 60)} kilometres an hour, "
        f"the night is {chance.choice(sky)} with lows of {chance.randint(-5, 9)} degrees and a chance of rain of "
        f"{chance.randint(1, 99)} per cent.\nThe sun sets at {chance.randint(10, 59)} minutes past seven. "
        "Warnings for your district stand in our app."
    )
    return Article(id=f"{day}-{seed}", title=f"Weather for {day}", text=text)


def test_a_template_with_other_numbers_every_day_is_no_copy() -> None:
    days = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday") * 2

    assert _groups([_weather(day, seed) for seed, day in enumerate(days)]) == [-1] * len(days)


def test_live_blogs_with_the_same_head_and_foot_are_no_copies() -> None:
    head, foot = _paragraphs(_words(5, 50)), _paragraphs(_words(6, 40))
    days = [
        replace(_story(seed), title="Live: the strike", text=f"{head}\n{_story(seed, 200).text}\n{foot}")
        for seed in range(10, 20)
    ]

    assert _groups(days) == [-1] * 10


def test_a_follow_up_that_keeps_the_background_is_no_copy() -> None:
    background = _paragraphs(_words(5, 150))
    days = [replace(_story(seed), text=f"{_story(seed, 250).text}\n{background}") for seed in range(10, 15)]

    assert _groups(days) == [-1] * 5


def test_a_note_that_stands_in_a_long_report_is_no_copy_of_it() -> None:
    report = _story(1, 600)

    assert _groups([report, replace(_story(2), text=_cut(report, 0.15).text)]) == [-1, -1]


def test_vectors_that_disagree_part_what_words_would_join() -> None:
    twice = [_story(1), _story(1)]

    assert _groups(twice, cosine=0.62) == [0, 0]
    assert _groups(twice, cosine=0.58) == [-1, -1]
    assert _groups(twice, cosine=0.58, finder=CopyFinder(CopyRules(least_cosine=0.5))) == [0, 0]


def test_the_window_is_two_weeks_to_the_second() -> None:
    twice = [_story(1), _story(1)]

    assert _groups(twice, [MONDAY, MONDAY + 14 * DAY]) == [0, 0]
    assert _groups(twice, [MONDAY + 14 * DAY, MONDAY]) == [0, 0]
    assert _groups(twice, [MONDAY, MONDAY + 14 * DAY + 1]) == [-1, -1]
    assert _groups(twice, [MONDAY, MONDAY + 20 * DAY], finder=CopyFinder(CopyRules(window_days=20.0))) == [0, 0]


@pytest.mark.parametrize("dates", [[UNDATED, MONDAY], [MONDAY, UNDATED], [UNDATED, UNDATED], [-MONDAY, UNDATED]])
def test_what_has_no_date_passes_the_window(dates: list[int]) -> None:
    assert _groups([_story(1), _story(1)], dates) == [0, 0]


def test_how_much_must_be_common_can_be_set() -> None:
    half = [_story(1, 400), replace(_story(1), text=f"{_story(1, 200).text}\n{_story(2, 180).text}")]

    assert _groups(half, finder=CopyFinder(CopyRules(least_overlap=0.4))) == [0, 0]
    assert _groups(half, finder=CopyFinder(CopyRules(least_overlap=0.7))) == [-1, -1]


def test_copies_of_one_story_are_a_group_even_where_they_share_little_with_each_other() -> None:
    words = _words(1, 500)
    original, head, tail = (
        replace(_story(1), text=_paragraphs(words[part])) for part in (slice(None), slice(300), slice(200, None))
    )

    assert _groups([head, tail], [MONDAY, MONDAY + 60]) == [-1, -1]
    assert _groups([head, tail, original], [MONDAY, MONDAY + 60, MONDAY + 120]) == [0, 0, 0]


def test_a_story_that_changes_day_by_day_is_not_one_chain() -> None:
    words = _words(1, 1_600)
    days = [replace(_story(1), title=f"Day {day}", text=_paragraphs(words[100 * day :][:400])) for day in range(12)]

    groups = _groups(days, [MONDAY + DAY * day for day in range(12)])

    members: dict[int, list[int]] = {}
    for row, group in enumerate(groups):
        members.setdefault(group, []).append(row)
    del members[-1]
    assert len(members) > 1
    for rows in members.values():
        assert max(rows) - min(rows) <= 2


def test_a_group_is_called_by_its_smallest_row() -> None:
    one, other = _story(1), _story(2)

    assert _groups([other, _story(3), one, _cut(other, 0.8), one, other]) == [0, -1, 2, 0, 2, 0]


def test_an_empty_archive_has_no_groups_and_one_article_stands_alone() -> None:
    assert _groups([]) == []
    assert _groups([_story(1)]) == [-1]


def test_more_articles_can_be_added_after_an_answer() -> None:
    finder = CopyFinder()
    assert _groups([_story(1)], finder=finder) == [-1]

    finder.add(_story(1))

    assert finder.groups(np.ones((2, 1), np.float32), np.array([MONDAY, MONDAY])).tolist() == [0, 0]


def test_a_story_printed_three_hundred_times_leaves_none_alone() -> None:
    groups = _groups([_story(1, 60)] * 300)

    assert -1 not in groups
    assert len(set(groups)) <= 3


@pytest.mark.parametrize(("n_vectors", "n_dates"), [(1, 2), (2, 1), (3, 2)])
def test_vectors_and_dates_are_those_of_the_articles(n_vectors: int, n_dates: int) -> None:
    finder = CopyFinder()
    finder.add(_story(1))
    finder.add(_story(2))

    with pytest.raises(ValueError, match=rf"^{n_vectors} vectors and {n_dates} dates for 2 articles$"):
        finder.groups(np.ones((n_vectors, 1), np.float32), np.zeros(n_dates, np.int64))


SHORT = Article(id="short", title="Bridge closed", text="The bridge at Hallin is closed until Friday.")


@pytest.mark.parametrize(
    ("other", "equal"),
    [
        (SHORT, True),
        (replace(SHORT, title="BRIDGE  CLOSED!", text="The bridge at Hallin is closed, until Friday"), True),
        (replace(SHORT, text="The bridge at Hallin is closed until Sunday."), False),
        (replace(SHORT, title="Bridge open"), False),
        (replace(SHORT, title="Bridge closed the", text="bridge at Hallin is closed until Friday."), False),
        (replace(SHORT, text=""), False),
        (replace(SHORT, text=f"{SHORT.text} {_story(1, 40).text}"), False),
    ],
)
def test_of_very_short_texts_only_equals_are_copies(other: Article, equal: bool) -> None:
    assert _groups([SHORT, other]) == ([0, 0] if equal else [-1, -1])


def test_headlines_alone_are_copies_when_they_are_equal() -> None:
    headlines = [Article(id=str(row), title=title) for row, title in enumerate(["Vote", "Talks", "vote", "!!!", "???"])]

    assert _groups(headlines) == [0, -1, 0, -1, -1]


def test_of_a_huge_text_the_first_two_thousand_words_count() -> None:
    head = _paragraphs(_words(1, 2_100))
    huge = [replace(_story(1), text=f"{head}\n{_paragraphs(_words(seed, 20_000))}") for seed in (8, 9)]

    assert _groups(huge) == [0, 0]


def test_one_endless_word_is_read_to_a_bound() -> None:
    endless = [replace(_story(1), text="x" * 2_000_000 + tail) for tail in "ab"]

    assert _groups(endless) == [0, 0]


SCRIPTS = {
    "Ukrainian": [chr(code) for code in range(0x430, 0x450)],
    "Greek": [chr(code) for code in range(0x3B1, 0x3C9)],
    "Arabic": [chr(code) for code in range(0x627, 0x64B)],
    "Hindi": [
        chr(consonant) + sign for consonant in range(0x915, 0x939) for sign in ("", "\u093e", "\u093f", "\u0947")
    ],
    "Korean": [chr(code) for code in range(0xAC00, 0xAC00 + 900)],
}


@pytest.mark.parametrize("script", SCRIPTS)
@pytest.mark.parametrize("edit", ["headline", "tail cut by three tenths", "lead written anew"])
def test_other_scripts_are_read_like_latin(script: str, edit: str) -> None:
    one, other = (_story(seed, 200, letters=SCRIPTS[script]) for seed in (1, 2))

    assert _groups([one, other, EDITS[edit](one)]) == [0, -1, 0]


UNBROKEN = {
    "Chinese": [chr(code) for code in range(0x4E00, 0x4E00 + 1_500)],
    "Japanese": [chr(code) for code in (*range(0x3041, 0x3090), *range(0x6000, 0x6200))],
    "Thai": [chr(code) for code in range(0xE01, 0xE2F)],
}


def _unbroken(script: str, seed: int, n_chars: int = 600) -> str:
    """Return sentences without a blank, and of uneven length."""
    chance = random.Random(seed)
    return "".join(chance.choice(UNBROKEN[script]) + ("，" if chance.random() < 0.04 else "") for _ in range(n_chars))


@pytest.mark.parametrize("script", UNBROKEN)
def test_texts_without_blanks_are_held_against_each_other_by_characters(script: str) -> None:
    text, other = _unbroken(script, 1), _unbroken(script, 2)
    # Cut in the middle of a run: by runs between signs, nothing next to the changes would be equal.
    edited = _unbroken(script, 3, 60) + text[60:250] + _unbroken(script, 4, 40) + text[250:480]
    articles = [
        Article(id=str(row), title=_unbroken(script, row + 9, 12), text=body)
        for row, body in enumerate([text, other, edited])
    ]

    assert _groups(articles) == [0, -1, 0]


def test_a_chinese_note_is_short_by_its_characters() -> None:
    notes = [Article(id=str(day), title="天气", text=f"明天晴气温{day}度") for day in (12, 14, 12)]

    assert _groups(notes) == [0, -1, 0]


def _archive(seed: int) -> tuple[list[Article], NDArray[np.int64], NDArray[np.float32]]:
    """Return families of copies, some in turn cut or undated, some with another subject, in any order."""
    chance = random.Random(seed)
    articles, dates, vectors = [], [], []
    for family in range(chance.randint(1, 5)):
        original = _story(chance.randrange(10**6), chance.choice((80, 150)))
        axis = np.eye(6, dtype=np.float32)[family]
        for _ in range(chance.randint(1, 5)):
            articles.append(_cut(original, chance.choice((1.0, 0.85, 0.7, 0.5, 0.2))))
            dates.append(chance.choice((UNDATED, MONDAY, MONDAY + 5 * DAY, MONDAY + 12 * DAY, MONDAY + 40 * DAY)))
            vectors.append(axis if chance.random() < 0.8 else np.eye(6, dtype=np.float32)[5])
    at = chance.sample(range(len(articles)), len(articles))
    return [articles[row] for row in at], np.array(dates, np.int64)[at], normalise(np.array(vectors)[at])


def _ask(articles: Sequence[Article], dates: NDArray[np.int64], vectors: NDArray[np.float32]) -> NDArray[np.int32]:
    finder = CopyFinder()
    for article in articles:
        finder.add(article)
    return finder.groups(vectors, dates)


def _together(groups: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Return for each two rows whether they are in one group; shape (n, n)."""
    same: NDArray[np.bool_] = (groups[:, None] == groups[None, :]) & (groups >= 0)
    return same


@MANY
@given(SEEDS)
def test_every_group_has_two_rows_or_more_and_the_name_of_its_smallest(seed: int) -> None:
    groups = _ask(*_archive(seed))

    for name in set(groups.tolist()) - {-1}:
        rows = np.flatnonzero(groups == name)
        assert len(rows) > 1
        assert rows[0] == name


@MANY
@given(SEEDS)
def test_the_order_of_rows_changes_nothing_but_their_numbers(seed: int) -> None:
    articles, dates, vectors = _archive(seed)
    # Twins in words and date but not in subject are told apart by nothing but their row; such are not asked for.
    at = np.random.default_rng(seed).permutation(len(articles))
    subjects = vectors.argmax(axis=1).tolist()
    if len({(article.text, date) for article, date in zip(articles, dates.tolist(), strict=True)}) != len(
        {(article.text, date, axis) for article, date, axis in zip(articles, dates.tolist(), subjects, strict=True)}
    ):
        return

    before = _together(_ask(articles, dates, vectors))
    after = _together(_ask([articles[row] for row in at], dates[at], vectors[at]))

    np.testing.assert_array_equal(after, before[np.ix_(at, at)])


@MANY
@given(SEEDS)
def test_articles_that_share_nothing_change_no_group(seed: int) -> None:
    articles, dates, vectors = _archive(seed)
    strangers = [_story(2_000_000 + number, 120) for number in range(5)]

    alone = _ask(articles, dates, vectors)
    among = _ask(
        [*strangers, *articles],
        np.concatenate([np.array([UNDATED, *[MONDAY] * 4], np.int64), dates]),
        np.concatenate([vectors[[0] * 5], vectors]),
    )

    np.testing.assert_array_equal(among, np.concatenate([[-1] * 5, np.where(alone >= 0, alone + 5, -1)]))


def _exact(one: Article, other: Article) -> tuple[float, float]:
    """Return the true resemblance and the true share of the shorter one's runs of six words."""
    sets = []
    for article in (one, other):
        words = f"{article.title} {article.text}".lower().replace(".", "").split()
        sets.append({tuple(words[at : at + 6]) for at in range(len(words) - 5)})
    common = len(sets[0] & sets[1])
    return common / len(sets[0] | sets[1]), common / min(map(len, sets))


@settings(deadline=None, max_examples=30, derandomize=True)  # estimates err now and then
@given(SEEDS)
def test_two_articles_are_a_group_when_the_exact_arithmetic_says_so(seed: int) -> None:
    chance = random.Random(seed)
    one, foreign = _story(1, 300), _story(2, 300)
    n_kept, n_added = chance.randint(0, 300), chance.randint(0, 300)
    words, added = one.text.split(" "), foreign.text.split(" ")
    other = replace(foreign, text=" ".join([*words[:n_kept], *added[: max(n_added, 20)]]))
    resemblance, overlap = _exact(one, other)
    # Signatures estimate: between the two is where they may err.
    sure = resemblance >= 0.4 and overlap >= 0.68
    never = resemblance <= 0.2 or overlap <= 0.42

    pair = _groups([one, other])

    assert pair == _groups([other, one])
    if sure or never:
        assert pair == ([0, 0] if sure else [-1, -1])


BORDERLINE = """
import sys
sys.path.insert(0, sys.argv[1])
from test_copies import _cut, _groups, _paragraphs, _story, _words
from dataclasses import replace
pairs = []
for seed in range(60):
    one = _story(seed, 120)
    pairs += [one, replace(_story(seed + 500), text=_cut(one, 0.6).text + _paragraphs(_words(seed + 900, 45 + seed)))]
print(_groups(pairs))
"""


@pytest.mark.slow
def test_a_process_with_another_hash_seed_finds_the_same() -> None:
    folder = str(Path(__file__).parent)
    answers = {
        subprocess.run(
            [sys.executable, "-c", BORDERLINE, folder],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2", "3")
    }

    assert len(answers) == 1
    found = answers.pop()
    assert "-1" in found  # the pairs lie on both sides of the border
    assert found.count("-1") < 120


@pytest.mark.parametrize(
    ("wire", "days", "dense", "terms", "same"),
    [
        (True, 2.0, 0.7, 0.5, True),
        (True, -2.0, 0.7, 0.5, True),
        (False, 0.0, 0.9, 0.9, False),
        (True, 2.1, 0.9, 0.9, False),
        (True, 0.0, 0.69, 0.9, False),
        (True, 0.0, 0.9, 0.49, False),
    ],
)
def test_an_agency_version_needs_an_agency_two_days_and_both_cosines(
    wire: bool, days: float, dense: float, terms: float, same: bool
) -> None:
    found = agency_version(np.array([wire]), np.array([int(days * DAY)]), np.array([dense]), np.array([terms]))

    assert found.tolist() == [same]
