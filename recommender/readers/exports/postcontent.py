"""What WordPress stores of a post, made into HTML: without shortcodes, and with the paragraphs that it would make of blank lines."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import defaultdict

# Shortcodes with nothing for a reader of text between their ends; of others what stands there goes on.
_WHOLE = frozenset(
    {
        "caption",
        "wp_caption",
        "gallery",
        "embed",
        "audio",
        "video",
        "playlist",
        "contact-form",
        "contact-form-7",
        "code",
        "sourcecode",
    }
)
_SHORTCODE = re.compile(r"\[(/?)([A-Za-z][\w-]{0,60})((?:\s[^\[\]]{0,2000})?)/?\]")
_ALONE = frozenset(
    {"gallery", "caption", "embed", "audio", "video", "playlist", "contact-form", "contact-form-7", "toc"}
)
_BLOCK = re.compile(
    r"<(?:p|div|h[1-6]|ul|ol|li|table|blockquote|figure|figcaption|pre|hr|section|article|aside|iframe|script|style|form|dl|!--)\b",
    re.I,
)
_EMBED = re.compile(r"(wp-block-embed__wrapper[^>]{0,200}>\s*)(https?://[^\s<\"']{4,1000})(\s*<)", re.I)


def markup(content: str) -> str:
    """Return a post's content as HTML."""
    content = _EMBED.sub(r'\1<a href="\2">\2</a>\3', without_shortcodes(content))
    if "<!-- wp:" in content or re.search(r"<p[\s>]", content):
        return content
    parts = (part.strip() for part in re.split(r"\n[ \t\r]*\n", content.replace("\r\n", "\n")))
    return "\n".join(
        part if _BLOCK.match(part) else f"<p>{part.replace(chr(10), '<br>')}</p>" for part in parts if part
    )


def without_shortcodes(content: str) -> str:
    """Return a text without shortcodes. What stands in brackets for readers stays: "[sic]", "[the minister]"."""
    found = list(_SHORTCODE.finditer(content))
    ends: defaultdict[str, list[int]] = defaultdict(list)
    for each in found:
        if each[1]:
            ends[each[2].lower()].append(each.end())
    kept: list[str] = []
    at = 0
    for each in found:
        name = each[2].lower()
        if each.start() < at or not (each[1] or name in ends or name in _ALONE or "_" in name or "=" in each[3]):
            continue
        kept += [content[at : each.start()], " "]
        at = each.end()
        closing = bisect_right(ends[name], at) if name in _WHOLE and name in ends and not each[1] else len(ends[name])
        if closing < len(ends[name]):
            at = ends[name][closing]
    return "".join([*kept, content[at:]])
