"""Which links of a story an editor set, and which the site made by itself."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommender.phrases import phrases
from recommender.readers.page.extract import body_of, record_from_page

URL = "https://www.paper.example/2025/05/ferry-strike-enters-third-day"
ONE, TWO = "/2025/04/crews-vote-to-strike", "https://paper.example/2025/03/owners-offer-less-than-asked"
A, B = f"<a href='{ONE}'>Crews vote to strike</a>", f"<a href='{TWO}'>Owners offer less</a>"
FULL_ONE, FULL_TWO = f"https://www.paper.example{ONE}", TWO
SENTENCE = "word " + "and so on, " * 30
WORDS = "The crews of the ferries have been on strike since the morning, and the harbour lies empty."


def _links(html: str) -> list[tuple[str, str | None]]:
    return [(link.title, link.url) for link in body_of(html, url=URL).read_more]


@pytest.mark.parametrize(
    "block",
    [
        f"<p>Read more: {A}</p>",
        f"<p><strong>READ ALSO:</strong> {A}</p>",
        f"<p><a href='{ONE}'>See also: Crews vote to strike</a></p>",
        f"<h3>Read more</h3><ul><li>{A}</li></ul>",
        f"<p><b>More on this story:</b></p><p>{A}</p>",
        f"<div><h4>Related stories</h4><div><a href='{ONE}'><img src='x'></a><a href='{ONE}'><h5>Crews vote to strike</h5></a></div></div>",
        f"<aside>{A}</aside>",
        f"<div class='rich-link'><a href='{ONE}'><span class='rich-link__title'>Crews vote to strike</span> 3 min</a></div>",
        f"<blockquote>Lesen Sie auch: {A}</blockquote>",
        f"<p>→ Читайте також: {A}</p>",
        f"<p>À lire aussi : {A}</p>",
        f"<p>{A}</p>",
    ],
)
def test_an_editors_block_is_found_and_taken_out_of_the_text(block: str) -> None:
    body = body_of(f"<p>{WORDS}</p>{block}<p>{WORDS}</p>", url=URL)

    assert [(link.title, link.url) for link in body.read_more] == [("Crews vote to strike", FULL_ONE)]
    assert body.text == f"{WORDS}\n{WORDS}"


@pytest.mark.parametrize("phrase", sorted(phrases("announce")))
def test_every_phrase_that_announces_is_found_in_html(phrase: str) -> None:
    assert _links(f"<p>{WORDS}</p><p>{phrase.capitalize()}: {A}</p>") == [("Crews vote to strike", FULL_ONE)]
    assert _links(f"<p>{WORDS}</p><h3>{phrase.upper()}</h3><ul><li>{A}</li></ul>") == [
        ("Crews vote to strike", FULL_ONE)
    ]


@pytest.mark.parametrize(
    "block",
    [
        f"<h3>Most read</h3><ol><li>{A}</li></ol>",
        f"<h3>Related</h3><ul><li>{A}</li></ul>",
        f"<h3>Related posts:</h3><ul><li>{A}</li></ul>",
        f"<h3>More from Politics</h3><ul><li>{A}</li></ul>",
        f"<h3>Das könnte Sie auch interessieren</h3><ul><li>{A}</li></ul>",
        f"<div class='jp-relatedposts'><h3>Read more</h3>{A}{B}</div>",
        f"<div class='newsletter-box'><p>Read more: {A}</p></div>",
        f"<nav><p>Read more: {A}</p></nav>",
        f"<div hidden><p>Read more: {A}</p></div>",
        "<p>Read more: <a href='https://other.example/2025/04/crews-vote-to-strike'>Crews vote</a></p>",
        "<p>Read more: <a href='/tag/crews-vote-to-strike'>Crews</a></p>",
        "<p>Read more: <a href='/author/ann-lee-of-the-paper/'>Ann Lee</a></p>",
        "<p>Read more: <a href='#comments'>Comments</a></p>",
        f"<p>Read more: <a href='{URL}?share=x'>Share</a></p>",
        f"<p>Read more: <a rel='sponsored' href='{ONE}'>Crews vote</a></p>",
        "<p>Read more: <a href='mailto:a@paper.example'>write to us</a> <a href='javascript:x()'>here</a> <a href='/a-b-c.pdf'>as a file</a></p>",
        "<p>The <a href='/politics'>politics</a> of it, <a href='/'>at home</a>, and <a href='/world/europe'>in Europe</a>, are told on other pages of ours.</p>",
    ],
)  # fmt: skip
def test_what_no_editor_set_is_left_out(block: str) -> None:
    assert _links(f"<p>{WORDS}</p>{block}<p>{WORDS}</p>") == []


def test_links_in_the_text_come_after_blocks_bear_a_headline_and_stay_in_the_text() -> None:
    body = body_of(
        f"<p>{WORDS} The crews <a href='{ONE}'>voted</a>, and <a href='{TWO}'>the owners offered less than that</a>.</p><p>Read more: <a href='/2025/01/x-y-z'>X</a></p>",
        url=URL,
    )

    assert [(link.title, link.url) for link in body.read_more] == [
        ("X", "https://www.paper.example/2025/01/x-y-z"),
        ("crews vote to strike", FULL_ONE),
        ("the owners offered less than that", FULL_TWO),
    ]
    assert body.text.endswith("The crews voted, and the owners offered less than that.")


def test_without_an_address_announced_links_are_taken_alone() -> None:
    body = body_of(
        f"<p>{WORDS} See <a href='{TWO}'>what the owners said before</a> of it.</p><p>Read more: {B} {A}</p>"
    )

    assert [(link.title, link.url) for link in body.read_more] == [("Owners offer less", FULL_TWO)]


def test_titles_without_links_under_a_heading_are_kept() -> None:
    assert _links(f"<p>{WORDS}</p><h3>Read more</h3><ul><li>Crews vote</li><li>Owners offer</li></ul>") == [
        ("Crews vote", None),
        ("Owners offer", None),
    ]


def test_a_link_that_the_menu_has_too_is_no_editors() -> None:
    page = f"<title>T</title><header><a href='https://www.paper.example{ONE}/'>x</a></header><article><h1>T</h1><p>{WORDS * 4} <a href='{ONE}'>Crews vote</a> {WORDS}</p></article>"

    assert record_from_page(page.encode(), URL)["read_more"] == []


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>One &amp; two&nbsp;three</p><p>Four</p>", "One & two three\nFour"),
        ("One<br><br>Two<br>Three", "One\nTwo\nThree"),
        ("<div>One<p>Two</p>Three</div>", "One\nTwo\nThree"),
        ("<p>A<script>x()</script><style>p{}</style>B</p><iframe>no</iframe>", "AB"),
        ("<p>A</p><figure><img><figcaption>Photo: Ann</figcaption></figure><p>B</p>", "A\nB"),
        ("<p>A</p><p>Subscribe to our newsletter</p><p>© 2024 Paper</p><p>Read our privacy policy here</p><p>Advertisement</p><p>Фото: Укрінформ</p>", "A"),
        ("<p>Advertisement revenue fell by a third.</p>", "Advertisement revenue fell by a third."),
        ("<ul><li>One<li>Two</ul>", "One\nTwo"),
        ("<table><tr><td>One</td><td>2</td></tr></table>", "One 2"),
        ("&lt;p&gt;", "<p>"),
        ("<p>&#1;A&#xFFFE;<br><br>B\x0b</p>", "\ufffdA\ufffd\nB\ufffd"),
        ("", ""),
        ("<!-- -->", ""),
    ],
)  # fmt: skip
def test_a_body_is_read_as_its_readers_see_it(html: str, text: str) -> None:
    assert body_of(html).text == text


@given(
    st.lists(
        st.sampled_from(
            [
                "<div>",
                "</div>",
                "<p>",
                "</p>",
                "<br>",
                "<br><br>",
                "<ul>",
                "<li>",
                "<h3>Read more</h3>",
                A,
                B,
                "<table><td>",
                f" {SENTENCE} ",
                "<a>",
                "</a>",
            ]
        ),
        max_size=30,
    )
)
def test_no_paragraph_is_lost_or_doubled_however_broken_the_markup(parts: list[str]) -> None:
    assert body_of("".join(parts)).text.split().count("word") == parts.count(f" {SENTENCE} ")


@pytest.mark.parametrize(
    "line",
    [
        f"<div>{A.replace('Crews vote to strike', 'Ferries')} <a href='{TWO}'>Harbour</a></div>",
        f"<ul><li><a href='{ONE}'><b>Ferries</b></a></li><li><a href='{TWO}'>Harbour</a></li></ul>",
    ],
)
def test_short_links_in_a_line_of_links_are_themes_and_no_editors(line: str) -> None:
    assert _links(f"<p>{WORDS}</p><p>{WORDS} <a href='{ONE}?x=1'>voted</a></p>{line}") == [
        ("crews vote to strike", f"{FULL_ONE}?x=1")
    ]


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<div><img src='a'><div>The harbour in March</div><div>Ann Lee / Paper</div></div>", ""),
        ("<table><tr><td><img src='a'></td></tr><tr><td>The harbour</td></tr></table>", ""),
        ("<p><img src='a'>The harbour is empty.</p>", "The harbour is empty."),
        ("<div><img src='a'><p>The harbour is empty.</p></div>", "The harbour is empty."),
        ("<div>06:00 22.08.2024 (updated: 09:00 22.08.2024) 12844</div>", ""),
        ("<div>0</div><div>12 / 7</div>", ""),
        ("<div>In 2024 it was 12:45 before anybody came.</div>", "In 2024 it was 12:45 before anybody came."),
        ("<p>第3回</p>", "第3回"),
    ],
)
def test_captions_without_a_name_and_stamps_are_no_part_of_a_story(html: str, text: str) -> None:
    assert body_of(f"<p>{WORDS * 5}</p>{html}").text.removeprefix(WORDS * 5).strip() == text


def test_a_picture_with_a_few_words_is_a_whole_story_where_there_is_nothing_else() -> None:
    assert body_of("<div><img src='a'>The harbour is empty.</div>").text == "The harbour is empty."


def test_a_page_of_many_pictures_and_links_is_read_in_time() -> None:
    pictures = "<img src='a'>" * 20_000 + f"<a href='{ONE}'>x</a> " * 10_000

    assert body_of(f"<p>{WORDS}</p><div>{pictures}</div>", url=URL).text.startswith(WORDS)


def test_a_link_that_stands_alone_elsewhere_is_still_found_in_the_text() -> None:
    assert _links(f"<p>{WORDS} They <a href='{ONE}'>voted</a>.</p><p><a href='{ONE}'>More</a></p>") == [
        ("crews vote to strike", FULL_ONE)
    ]
