from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recommender.phrases import split_link_block
from recommender.text import (
    canonical_url,
    chunks,
    clean,
    clean_line,
    digest,
    title_key,
    url_key,
    words,
)

TRICKY = st.text(
    alphabet=st.one_of(
        st.sampled_from(
            "\n\r\t\x00\x0b\x0c\x1f\x85\xa0\u2028\u202e\u2066\u200e\u200f\ufeff\ud800 aAée\u0301ﬁ´'’…½İß👩‍🚀"
        ),
        st.characters(),
    ),
    max_size=60,
)
properties = settings(deadline=None, max_examples=100)


@given(TRICKY)
@properties
def test_cleaning_twice_changes_nothing_more(text: str) -> None:
    assert clean(clean(text)) == clean(text)
    assert clean_line(clean_line(text)) == clean_line(text)


@given(TRICKY)
@properties
def test_cleaned_text_has_no_empty_line_no_double_blank_and_can_be_stored(text: str) -> None:
    cleaned = clean(text)

    cleaned.encode("utf-8")
    assert "\x00" not in cleaned
    assert "  " not in cleaned
    assert all(line and line == line.strip() for line in cleaned.split("\n")) or cleaned == ""
    assert "\n" not in clean_line(text)


@given(st.text(alphabet=st.characters(categories=("Lu", "Ll", "Lo", "Nd")), max_size=60))
@properties
def test_cleaning_loses_no_letter(text: str) -> None:
    import unicodedata

    assert clean(f"  {text}\r\n") == unicodedata.normalize("NFC", text)


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("a\r\nb\rc\u2028d\u2029e\x85f", "a\nb\nc\nd\ne\nf"),
        ("soft\x0bbreak, new\x0cpage", "soft\nbreak, new\npage"),
        ("a \t\u00a0\u3000 b", "a b"),
        ("\n\n a \n \n\n b \n", "a\nb"),
        ("\ufeffTitle\x00 with\x07 noise", "Title with noise"),
        ("safe\u202egnp.exe\u202c", "safegnp.exe"),
        ("\u200fשלום\u200e", "\u200fשלום\u200e"),
        ("Cafe\u0301", "Café"),
        ("lone \ud83d surrogate", "lone \ufffd surrogate"),
        ("👩‍🚀 lands", "👩‍🚀 lands"),
        ("", ""),
    ],
)
def test_cleaning_by_example(text: str, cleaned: str) -> None:
    assert clean(text) == cleaned


@pytest.mark.parametrize(
    ("url", "canonical"),
    [
        ("HTTP://WWW.Example.ORG/News/", "http://www.example.org/News"),
        ("https://example.org", "https://example.org"),
        ("https://example.org/", "https://example.org"),
        ("http://example.org:80/a", "http://example.org/a"),
        ("https://example.org:443/a", "https://example.org/a"),
        ("https://example.org:80/a", "https://example.org:80/a"),
        ("http://example.org:8080/a/", "http://example.org:8080/a"),
        ("https://example.org/a#comments", "https://example.org/a"),
        ("https://example.org/a?b=2&a=1", "https://example.org/a?a=1&b=2"),
        ("https://example.org/a/?id=7", "https://example.org/a?id=7"),
        ("https://example.org?id=7", "https://example.org/?id=7"),
        ("https://example.org/a?utm_source=x&utm_medium=y", "https://example.org/a"),
        ("https://example.org/a?fbclid=x&id=7&gclid=y&ref=home#top", "https://example.org/a?id=7"),
        ("https://example.org/a?reference=7", "https://example.org/a?reference=7"),
        ("https://münchen.example/straße", "https://xn--mnchen-3ya.example/stra%C3%9Fe"),
        ("https://example.org/%7ejo/%e4", "https://example.org/~jo/%E4"),
        ("  https://example.org/a \n", "https://example.org/a"),
        ("http://[2001:db8::1]/a", "http://[2001:db8::1]/a"),
        ("javascript:alert(1)", None),
        ("JavaScript://example.org/%0aalert(1)", None),
        ("data:text/html,hello", None),
        ("ftp://example.org/a", None),
        ("file:///etc/passwd", None),
        ("/news/a", None),
        ("//example.org/a", None),
        ("example.org/a", None),
        ("http://", None),
        ("http:///a", None),
        ("http://user:secret@example.org/", None),
        ("http://example.org/two words", None),
        ('http://example.org/"onload="x', None),
        ("http://example.org/<script>", None),
        ("http://[::1", None),
        ("http://¸", None),
        ("http://exa%mple.org/", None),
        ("http://example.org:99999999/", None),
        ("http://example.org/" + "a" * 5000, None),
        ("", None),
    ],
)
def test_an_address_has_one_spelling_or_is_none(url: str, canonical: str | None) -> None:
    assert canonical_url(url) == canonical


@given(
    st.builds(
        "{}://{}{}{}".format,
        st.sampled_from(["http", "https", "HTTP", "Https"]),
        st.one_of(
            st.sampled_from(["example.org", "WWW.Example.org", "münchen.de", "a:80", "a:443", "[::1]:80", "a.", "a:"]),
            st.text(max_size=12),
        ),
        st.text(alphabet=st.one_of(st.sampled_from("/?&=#%.;+~a2F:@"), st.characters()), max_size=30),
        st.sampled_from(["", "/", "?utm_source=x", "?b=1&a=&c", "#x", "/?"]),
    )
)
@settings(deadline=None, max_examples=300)
def test_the_canonical_address_is_its_own_canonical_address(url: str) -> None:
    canonical = canonical_url(url)

    assert canonical is None or canonical_url(canonical) == canonical
    assert canonical is None or url_key(canonical) == url_key(url)


@given(st.text(max_size=40))
@properties
def test_no_text_at_all_breaks_the_reading_of_addresses(text: str) -> None:
    canonical = canonical_url(text)

    assert canonical is None or canonical.startswith(("http://", "https://"))


def test_one_page_has_one_key_whatever_its_scheme_and_www() -> None:
    spellings = ["http://www.example.org/a/", "https://example.org/a?utm_id=1", "https://EXAMPLE.org/a#x"]

    assert {url_key(url) for url in spellings} == {"example.org/a"}
    assert url_key("mailto:desk@example.org") is None


@pytest.mark.parametrize(
    "spellings",
    [
        ("Don't panic", "Don’t panic", "DONʼT PANIC", "don´t panic", "Don`t panic", "Don＇t panic"),
        ("Ferries — back at sea!", "ferries – back at sea", "Ferries-back at sea", "  «Ferries»: back, at sea…"),
        ("Straße gesperrt", "STRASSE GESPERRT"),
        ("Ｆull width", "full width"),
        ("Cafe\u0301 burns", "café burns"),
    ],
)
def test_spellings_of_one_headline_have_one_key(spellings: tuple[str, ...]) -> None:
    assert len({title_key(spelling) for spelling in spellings}) == 1


def test_other_headlines_have_other_keys() -> None:
    titles = ["Day 3 of the strike", "Day 4 of the strike", "Cafe burns", "Café burns", "Мер іде", "Мер їде"]

    assert len({title_key(title) for title in titles}) == len(titles)


@pytest.mark.parametrize("title", ["", "…", "— ? !", "'’", "___"])
def test_a_title_of_signs_has_an_empty_key(title: str) -> None:
    assert title_key(title) == ""


@given(TRICKY)
@properties
def test_a_key_is_words_parted_by_single_blanks_and_knows_no_case(title: str) -> None:
    key = title_key(title)

    assert key == " ".join(key.split())
    assert key == key.casefold()


def test_inner_apostrophes_and_hyphens_stay_in_their_word() -> None:
    assert words("The mayor's co-pilot, п'ять об’єктів – «end»_x") == [
        "The", "mayor's", "co-pilot", "п'ять", "об’єктів", "end", "x",
    ]  # fmt: skip


@given(st.lists(TRICKY, max_size=4), st.lists(TRICKY, max_size=4))
@properties
def test_a_digest_knows_where_its_parts_end(parts: list[str], others: list[str]) -> None:
    assert len(digest(*parts)) == 16
    assert (digest(*parts) == digest(*others)) == (parts == others)


def test_a_digest_stays_what_it_was_since_vectors_are_stored_under_it() -> None:
    assert digest("ab", "c") != digest("a", "bc")
    assert digest("Ferry crews vote", "night").hex() == "22a1266694691b1710b50025e0c6525e"


@given(st.text(alphabet=st.sampled_from("abc中 \n"), max_size=400), st.integers(1, 12))
@properties
def test_chunks_lose_nothing_and_keep_the_order(text: str, n_words: int) -> None:
    assert "".join(chunks(text, n_words)).replace(" ", "") == "".join(text.split())


@given(st.lists(st.text(alphabet="abcd", min_size=1, max_size=4), max_size=80), st.integers(1, 12))
@properties
def test_every_chunk_is_full_but_the_last_and_the_last_is_no_crumb(tokens: list[str], n_words: int) -> None:
    sizes = [len(piece.split()) for piece in chunks(" ".join(tokens), n_words)]

    assert sum(sizes) == len(tokens)
    assert all(size == n_words for size in sizes[:-1])
    if len(sizes) > 1:
        assert n_words / 4 <= sizes[-1] < 1.25 * n_words


@pytest.mark.parametrize("text", ["中" * 3_000, "\n".join(["文" * 100] * 30), "ก" * 1_999])
def test_text_without_blanks_is_cut_by_characters_four_a_word(text: str) -> None:
    sizes = [len(piece.replace(" ", "")) for piece in chunks(text, 120)]

    assert sum(sizes) == len("".join(text.split()))
    assert max(sizes) <= 600
    assert min(sizes) >= 120


def test_an_empty_text_has_no_chunks() -> None:
    assert list(chunks(" \n ", 10)) == []


LONG = "Paragraph after the block, " + "long enough to be one of the body " * 10 + "and not a title."


@pytest.mark.parametrize(
    ("text", "body", "titles"),
    [
        ("Body.\nRead more:\nOne\nTwo", "Body.", ["One", "Two"]),
        ("Body.\nREAD MORE\nOne", "Body.", ["One"]),
        ("Body.\nRead also: One", "Body.", ["One"]),
        ("Body.\nRead also: One\nMore body.", "Body.\nMore body.", ["One"]),
        ("Body.\nЧитайте також:\nМер оголосив конкурс\nДругий", "Body.", ["Мер оголосив конкурс", "Другий"]),
        ("Body.\nЧитайте также: Первый", "Body.", ["Первый"]),
        ("Body.\nЗа темою：\nПерший", "Body.", ["Перший"]),
        ("Body.\nLesen Sie auch: Streik im Hafen", "Body.", ["Streik im Hafen"]),
        ("Body.\nMehr zum Thema\nStreik im Hafen", "Body.", ["Streik im Hafen"]),
        ("Body.\n>> Related stories:\n- One\n• Two\n3. Three\n4) Four", "Body.", ["One", "Two", "Three", "Four"]),
        (f"Body.\nSee also:\nOne\n{LONG}\nEnd.", f"Body.\n{LONG}\nEnd.", ["One"]),
        ("Body.\nSee also:\nOne\nRead more:\nTwo", "Body.", ["One", "Two"]),
        ("Body.\nRead more:", "Body.", []),
        ("Body.\nRelated", "Body.\nRelated", []),
        (f"Body.\nRelated\n{LONG}", f"Body.\nRelated\n{LONG}", []),
        (f"Read more: {LONG}", f"Read more: {LONG}", []),
        ("They want to read more books.\nEnd.", "They want to read more books.\nEnd.", []),
        ("Related questions arose.\nEnd.", "Related questions arose.\nEnd.", []),
        ("Readmore:\nOne", "Readmore:\nOne", []),
        ("Read more:\nOne\nTwo", "", ["One", "Two"]),
        ("Body.\nRead more:\n2024. Ein Rückblick", "Body.", ["2024. Ein Rückblick"]),
        ("", "", []),
    ],
)
def test_the_link_block_is_parted_from_the_body(text: str, body: str, titles: list[str]) -> None:
    assert split_link_block(text) == (body, titles)


@given(
    st.lists(st.sampled_from([LONG, f"{LONG} Again.", "A short subheading"]), min_size=1, max_size=6),
    st.sampled_from(["Read more:", "Читайте також:", "Lesen Sie auch:", "Lire aussi :"]),
    st.lists(st.text(alphabet="Titel über Äpfel їж", min_size=3, max_size=80).map(clean_line), min_size=1, max_size=6),
)
@properties
def test_of_the_documents_form_every_title_comes_out_and_no_line_of_the_body(
    paragraphs: list[str], head: str, titles: list[str]
) -> None:
    titles = [title for title in titles if title]
    body = "\n".join(paragraphs)

    assert split_link_block("\n".join([body, head, *titles])) == (body, titles)
    assert split_link_block(body) == (body, [])


def test_a_document_in_the_plain_form_keeps_its_subheadings_and_gives_its_links() -> None:
    body = f"Berlin talks: envoy cites progress\n{LONG}\nWhat was agreed\n{LONG}\nA last word."
    titles = ["Berlin talks — envoy cites progress in negotiations", "Trump on guarantees — what they may include"]

    assert split_link_block(f"{body}\nRead more:\n" + "\n".join(titles)) == (body, titles)


@pytest.mark.parametrize(
    ("text", "body", "titles"),
    [
        # Paragraphs below a block are text, however short they are.
        ("It rained.\nSee also:\nFerries stay in port\nThe firm said it would sue.\nTalks go on.",
         "It rained.\nThe firm said it would sue.\nTalks go on.", ["Ferries stay in port"]),
        # A subheading is no announcement.
        ("It rained.\nRelated\nOnly one paragraph follows.", "It rained.\nRelated\nOnly one paragraph follows.", []),
        # A headline may end with a full stop.
        ("It rained.\nRead more:\nIt stopped.\nIt began again\nIt poured", "It rained.", ["It stopped.", "It began again", "It poured"]),
        ("It rained.\nRead more:\nIt stopped.", "It rained.", ["It stopped."]),
        ("It rained.\n**Read more:** It stopped", "It rained.", ["It stopped"]),
        ("Дощ.\n«Читайте також»: Сонце", "Дощ.", ["Сонце"]),
    ],
)  # fmt: skip
def test_a_link_block_ends_where_text_begins(text: str, body: str, titles: list[str]) -> None:
    assert split_link_block(text) == (body, titles)


def test_vowel_signs_belong_to_their_word() -> None:
    assert title_key("हिन्दी समाचार!") == "हिन्दी समाचार"
    assert words("ข่าวที่ดี") == ["ข่าวที่ดี"]
    assert title_key("कि") != title_key("की")


def test_marks_of_where_a_word_may_be_parted_go_and_joiners_of_letters_stay() -> None:
    assert clean("Unter\u00adsuchungs\u200baus\u2060schuss") == "Untersuchungsausschuss"
    assert (
        clean("\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645") == "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645"
    )
