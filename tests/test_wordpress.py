"""The WordPress plugin in PHP, over functions that stand in for WordPress, against the service itself over HTTP."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from listening import KEY, listening

from recommender.catalog import Catalog
from recommender.home import Home
from recommender.settings import Settings
from recommender.text import canonical_url

ROOT = Path(__file__).parent.parent
STORY_URL = "https://www.lindenpost.example/business/ferry-strike"
SETUP = """
require 'tests/wordpress/functions.php';
use function NewsroomRecommender\\{related_html, send_archive, shortcode, settings, article_id};
[$url, $key] = [$argv[1], $argv[2]];
Site::$options['newsroom_recommender'] = ['url' => $url, 'heading' => 'Read on', 'append' => true];
Site::$options['newsroom_recommender_key'] = $key;
function answer(int $code, string $body = '', array $headers = []) { return ['code' => $code, 'headers' => $headers + ['content-type' => 'text/html; charset=utf-8'], 'body' => $body]; }
function story(int $id, array $more = []) {
    Site::save($id, $more + ['post_name' => "ferry-$id", 'post_title' => "Ferry strike: crews & night shift $id",
        'post_content' => "<!-- wp:paragraph --><p>Two sailors on every night crossing of the harbour ferries, that is what the crews wanted from the strike.</p><!-- /wp:paragraph -->"]);
}
function said($value) { echo json_encode($value, JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE | JSON_THROW_ON_ERROR); }
"""

pytestmark = pytest.mark.skipif(shutil.which("php") is None, reason="there is no php")


def _php(code: str, url: str = "http://127.0.0.1:9", key: str = KEY) -> Any:
    command = ["php", "-d", "error_reporting=-1", "-d", "display_errors=stderr", "-r", SETUP + code, url, key]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return json.loads(done.stdout)


@pytest.fixture
def service(published: Settings) -> Iterator[str]:
    with listening(published) as url:
        yield url


@pytest.fixture
def kept(published: Settings) -> Callable[[], list[str]]:
    """Give the addresses of WordPress' stories that are in the catalog."""

    def ids() -> list[str]:
        with Catalog(Home(published.home).catalog) as catalog:
            return sorted(
                each.id for each in catalog.articles() if each.id.startswith("https://paper.example/2025/03/")
            )

    return ids


def test_a_story_is_there_when_it_is_published_other_when_changed_and_gone_when_withdrawn(
    service: str, kept: Callable[[], list[str]], published: Settings
) -> None:
    assert _php("story(7); story(8, ['post_status' => 'draft']); Site::cron(); said(Site::$meta);", service) == {
        "7": {"_newsroom_recommender_id": "https://paper.example/2025/03/ferry-7"}
    }
    assert kept() == ["https://paper.example/2025/03/ferry-7"]
    with Catalog(Home(published.home).catalog) as catalog:
        article = catalog.article("https://paper.example/2025/03/ferry-7")
    assert article is not None
    assert (article.title, article.section, article.tags) == (
        "Ferry strike: crews & night shift 7",
        "Politics & power",
        ("Harbour", "Pier"),
    )
    assert article.text.startswith("Two sailors on every night crossing")
    assert (article.language, article.authors, article.image_url) == (
        "en-gb",
        ("Ada Berg",),
        "https://paper.example/pier.jpg",
    )

    moved = "story(7); Site::cron(); story(7, ['post_name' => 'moved']); Site::cron(); Site::cron(); said(0);"
    _php(moved, service)
    assert kept() == ["https://paper.example/2025/03/moved"]
    _php(
        "story(7); Site::cron(); story(7, ['post_status' => 'trash', 'post_name' => 'ferry-7__trashed']); Site::cron(); said(0);",
        service,
    )
    _php(
        "story(9); Site::cron(); do_action('before_delete_post', 9); unset(Site::$posts[9]); Site::cron(); said(0);",
        service,
    )
    assert kept() == ["https://paper.example/2025/03/moved"]


def test_a_story_without_a_word_of_it_sent_before_is_not_asked_to_be_withdrawn(service: str) -> None:
    assert _php("story(7, ['post_status' => 'draft']); said([Site::$jobs, Site::$requests]);", service) == [[], []]


def test_saving_waits_for_nobody_and_what_fails_is_sent_again_later_and_later(service: str) -> None:
    jobs = _php("""
        story(7); $saving = count(Site::$requests);
        Site::$answers = [null, answer(503, 'busy', ['retry-after' => '500']), answer(429), answer(401, 'no key')];
        $waits = [];
        for ($n = 0; $n < 4; $n++) { Site::cron(); $waits[] = Site::$jobs[0]['in']; }
        Site::cron();
        said([$saving, $waits, Site::$jobs, Site::$meta, Site::$options['newsroom_recommender_problem']['what']]);
    """, service)  # fmt: skip

    assert jobs == [
        0,
        [60, 500, 240, 480],
        [],
        {"7": {"_newsroom_recommender_id": "https://paper.example/2025/03/ferry-7"}},
        "post 7: 401 no key",
    ]


def test_what_the_service_refuses_is_told_and_not_sent_again(service: str) -> None:
    jobs, problem = _php(
        "story(7, ['post_title' => '']); Site::cron(); said([Site::$jobs, Site::$options['newsroom_recommender_problem']['what']]);",
        service,
    )

    assert jobs == []
    assert problem.startswith("post 7: 422 ")
    assert "title: is missing or empty" in problem


def test_a_job_that_comes_late_does_what_is_true_by_then(service: str, kept: Callable[[], list[str]]) -> None:
    _php("story(7); Site::cron(); story(7); Site::$posts[7]->post_status = 'private'; Site::cron(); said(0);", service)

    assert kept() == []


def test_the_list_is_shown_escaped_and_asked_for_once(service: str) -> None:
    html, n, again = _php("""
        Site::$posts = []; story(7); Site::$jobs = [];
        Site::$answers = [answer(200, '<aside class="related" aria-label="Read on"><h2 class="related-heading">Read on</h2><ol><li class="related-story" data-id="a&amp;b" onclick="x()">'
            . '<a href="https://paper.example/a" lang="en">A &lt;b&gt; &amp; C</a><a href="javascript:alert(1)">x</a><script>alert(1)</script><img src=x onerror=y></li></ol></aside>', ['cache-control' => 'public, max-age=120', 'etag' => '"e1"'])];
        $html = related_html(7); $n = count(Site::$requests); related_html(7);
        said([$html, $n, count(Site::$requests)]);
    """, service)  # fmt: skip

    assert html == (
        '<aside class="related" aria-label="Read on"><h2 class="related-heading">Read on</h2><ol><li class="related-story" data-id="a&amp;b">'
        '<a href="https://paper.example/a" lang="en">A &lt;b&gt; &amp; C</a><a>x</a>alert(1)</li></ol></aside>'
    )
    assert (n, again) == (1, 1)


def test_the_services_own_list_goes_through_whole(service: str) -> None:
    html, request, ids, n_requests = _php("""
        story(7, ['link' => 'URL']); $html = related_html(7); $kept = get_transient(array_key_first(Site::$transients));
        $kept['until'] = 0; set_transient(array_key_first(Site::$transients), $kept, 9);
        said([$html, Site::$requests[0], $kept['ids'], $html === related_html(7) ? count(Site::$requests) : 0]);
    """.replace("URL", STORY_URL), service)  # fmt: skip

    assert html.startswith('<aside class="related" aria-label="Read on">\n<h2 class="related-heading">Read on</h2>')
    assert html.count("<li") == len(ids) - 1 > 0
    assert html.endswith("</aside>")
    assert (request["timeout"], request["redirection"], n_requests) == (1, 0, 2)
    assert KEY not in json.dumps(request)


@pytest.mark.parametrize(
    "failure", ["null", "answer(500)", "answer(503)", "answer(200, 'x', ['content-type' => 'application/json'])"]
)
def test_the_old_list_is_shown_when_the_service_fails_and_nothing_where_there_is_none(failure: str) -> None:
    first, second, third, n = _php(f"""
        story(7); Site::$answers = [{failure}, answer(200, '<aside>old</aside>', ['cache-control' => 'max-age=60']), {failure}];
        $first = related_html(7); related_html(7);
        $key = array_key_first(Site::$transients);
        $past = function () use ($key) {{ $kept = get_transient($key); $kept['until'] = 0; set_transient($key, $kept, 9); }};
        $past(); $second = related_html(7); $past(); $third = related_html(7); related_html(7);
        said([$first, $second, $third, count(Site::$requests)]);
    """)

    assert (first, second, third, n) == ("", "<aside>old</aside>", "<aside>old</aside>", 3)


def test_a_list_that_is_the_same_is_asked_for_by_its_etag_and_kept() -> None:
    html, header = _php("""
        story(7); Site::$answers = [answer(200, '<aside>old</aside>', ['cache-control' => 'max-age=60', 'etag' => '"e1"']), answer(304, '', ['cache-control' => 'max-age=60'])];
        related_html(7); $key = array_key_first(Site::$transients); $kept = get_transient($key); $kept['until'] = 0; set_transient($key, $kept, 9);
        said([related_html(7), Site::$requests[1]['headers']['If-None-Match']]);
    """)  # fmt: skip

    assert (html, header) == ("<aside>old</aside>", '"e1"')


def test_a_list_that_names_a_withdrawn_story_is_not_shown_again_even_where_the_service_fails() -> None:
    before, after, purged = _php("""
        add_action('newsroom_recommender_purged', function ($ids) { $GLOBALS['purged'] = $ids; });
        story(7); story(8); Site::$meta[8]['_newsroom_recommender_id'] = 'https://paper.example/2025/03/ferry-8';
        Site::$answers = [answer(200, '<ol><li data-id="https://paper.example/2025/03/ferry-8">x</li></ol>', ['cache-control' => 'max-age=9999']), null];
        $before = related_html(7); story(8, ['post_status' => 'private']);
        said([$before, related_html(7), $purged]);
    """)  # fmt: skip

    assert (before, after) == ('<ol><li data-id="https://paper.example/2025/03/ferry-8">x</li></ol>', "")
    assert purged == ["https://paper.example/2025/03/ferry-8"]


def test_the_list_stands_in_block_shortcode_and_under_the_story_but_not_in_other_lists() -> None:
    shown = _php("""
        story(7); Site::$answers = array_fill(0, 9, answer(200, '<aside>list</aside>', ['cache-control' => 'max-age=60']));
        $shown = [Site::$blocks['newsroom-recommender/related']['render_callback']([]), Site::$shortcodes['related_stories'](['k' => '3']), Site::$shortcodes['related_stories']('')];
        $shown[] = apply_filters('the_content', 'Story'); Site::$singular = false; $shown[] = apply_filters('the_content', 'Story');
        Site::$posts[7]->post_password = 'x'; $shown[] = related_html(7);
        said([$shown, count(Site::$requests), Site::$requests[1]['url']]);
    """)  # fmt: skip

    assert shown[0] == ["<aside>list</aside>"] * 3 + ["Story<aside>list</aside>", "Story", ""]
    assert shown[1] == 2
    assert shown[2].endswith(
        "/v1/related.html?url=https%3A%2F%2Fpaper.example%2F2025%2F03%2Fferry-7%2F&k=3&heading=Read%20on"
    )


def test_the_whole_archive_is_sent_in_batches_and_a_refused_story_is_named(
    service: str, kept: Callable[[], list[str]]
) -> None:
    done, told, n_sent, n_requests = _php("""
        foreach (range(1, 5) as $n) { story($n, $n === 3 ? ['post_title' => ''] : []); } story(6, ['post_status' => 'draft']); Site::$jobs = [];
        $told = []; $done = send_archive(2, 0, function ($line) use (&$told) { $told[] = $line; });
        said([$done, $told, count(Site::$meta), count(Site::$requests)]);
    """, service)  # fmt: skip

    assert done == {"sent": 4, "refused": 1, "problem": ""}
    assert told[1] == "post 3 is refused: title: is missing or empty; every article needs a headline"
    assert (n_sent, n_requests) == (4, 3)
    assert kept() == [f"https://paper.example/2025/03/ferry-{n}" for n in (1, 2, 4, 5)]


def test_the_archive_is_not_sent_with_a_wrong_key_and_the_way_stopped_is_told(service: str) -> None:
    done = _php("story(1); said(send_archive());", service, "another-key")

    assert (done["sent"], done["problem"][:26]) == (0, "stopped after post 0: 401 ")
    assert "another-key" not in json.dumps(done)


def test_the_settings_page_has_a_nonce_asks_for_the_capability_and_never_shows_the_key() -> None:
    page, nothing, capability = _php("""
        Site::$options['newsroom_recommender']['heading'] = '"><script>';
        ob_start(); (Site::$page['call'])(); $page = ob_get_clean();
        Site::$may = false; ob_start(); (Site::$page['call'])(); said([$page, ob_get_clean(), Site::$page['capability']]);
    """)  # fmt: skip

    assert 'value="nonce-of-newsroom_recommender-options"' in page
    assert KEY not in page
    assert "<script>" not in page
    assert (nothing, capability) == ("", "manage_options")


def test_settings_are_brought_within_their_bounds_and_an_empty_key_keeps_the_old_one() -> None:
    cleaned, key, other = _php("""
        $clean = Site::$settings['newsroom_recommender']['sanitize_callback']; $key = Site::$settings['newsroom_recommender_key']['sanitize_callback'];
        said([$clean(['url' => 'javascript:alert(1)', 'k' => '999', 'timeout' => '60', 'heading' => '<b>Read</b>', 'types' => 'post, News!']), $key(' '), $key('another-good-key')]);
    """)  # fmt: skip

    assert cleaned == {"url": "", "k": 20, "heading": "Read", "append": False, "timeout": 5, "types": ["post", "news"]}
    assert (key, other) == (KEY, "another-good-key")


ADDRESSES = (
    "https://Paper.example/2025/03/story/",
    "https://paper.example/?p=12",
    "http://paper.example:80/a/",
    "https://paper.example/%d0%bf%d0%be%d1%80%d1%82/",
    "https://paper.example/порт/",
    "https://paper.example",
    "https://paper.example:8443/a",
)


def test_the_id_of_a_story_is_the_one_that_the_service_makes_of_its_address() -> None:
    made = _php(f"said(array_map('NewsroomRecommender\\article_id', {json.dumps(ADDRESSES, ensure_ascii=False)}));")

    assert made == [canonical_url(url) for url in ADDRESSES]


def test_links_to_other_stories_of_the_site_are_the_editors_and_no_others() -> None:
    record = _php(r"""
        story(8); story(7, ['post_content' => '<p>One <a class="x" href="https://paper.example/2025/03/ferry-8/">the other &amp; story</a>,
            <a href="https://paper.example/2025/03/ferry-7/">itself</a> <a href="https://elsewhere.example/">away</a> <a href="https://paper.example/tag/x/">a tag</a></p>
            <figure><figcaption>Caption</figcaption></figure><h2>Two</h2><p>Three<br>four [gallery ids="1"]</p>']);
        said(NewsroomRecommender\record(get_post(7)));
    """)  # fmt: skip

    assert record["read_more"] == [{"title": "the other & story", "url": "https://paper.example/2025/03/ferry-8/"}]
    assert record["text"].split("\n") == ["One the other & story, itself away a tag", "Two", "Three", "four"]


def test_nothing_is_left_when_the_plugin_is_taken_away() -> None:
    options, jobs = _php(
        "story(7); foreach (['deactivate', 'uninstall'] as $hook) { do_action($hook); } said([array_keys(Site::$options), Site::$jobs]);"
    )

    assert (options, jobs) == ([], [])
