"""Bytes into a tree: which characters they are, and how lxml reads them."""

from __future__ import annotations

import codecs
import re

import lxml.html
from lxml.etree import ElementDefaultClassLookup, LxmlError
from lxml.html import HtmlElement, HTMLParser

from recommender.errors import RecordError
from recommender.readers.page.guard import check_attributes, check_markup, check_tree, has_long_tag

_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_META = re.compile(
    rb"""<meta[^>]{0,500}?charset\s*=\s*["']?\s*([\w.:-]{2,40})|<\?xml[^>]{0,200}?encoding\s*=\s*["']([\w.:-]{2,40})""",
    re.I,
)
# What browsers take for what pages say (WHATWG, Encoding): a superset under the older name.
_SUPERSETS = {
    "iso8859-1": "cp1252", "ascii": "cp1252", "iso8859-9": "cp1254", "gb2312": "gb18030", "gbk": "gb18030",
    "shift_jis": "cp932", "euc_kr": "cp949", "tis-620": "cp874", "iso8859-11": "cp874", "utf-16": "utf-8",
}  # fmt: skip
# Some of Python's codecs are no charsets of pages, and some of those take quadratic time.
_CHARSETS = re.compile(
    r"utf-8|utf-16(-[lb]e)?|ascii|iso8859-\d{1,2}|cp\d{3,4}|koi8-[rtu]|gb2312|gbk|gb18030|hz|big5(hkscs)?|euc_(jp|kr)|shift_jis|iso2022_jp|mac-\w+|tis-620|johab"
)
_DETECTED_BYTES = 2**16
# lxml reads these, and refuses to write them: as they are, and by their numbers.
_UNREADABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_UNREADABLE_REFERENCES = re.compile(
    r"&#(?:0*(?:[0-8]|1[124-9]|2\d|3[01]|65534|65535)|[xX]0*(?:[0-8bBcCeEfF]|1[0-9a-fA-F]|[fF]{3}[eEfF]))(?![0-9a-fA-F]);?"
)
_CONTROLS = bytes(each for each in range(32) if each not in b"\t\n\r")
_NO_CHARACTERS = ("\ufffe".encode(), "\uffff".encode())
_LOOKUP = ElementDefaultClassLookup(element=HtmlElement)  # lxml.html's own calls Python for every element


def decoded(raw: bytes, charset: str | None = None) -> str:
    """Return the text of a page: by byte order mark, ``charset`` (of the HTTP header), ``<meta>``, else detected.

    What the charset named does not know becomes U+FFFD, but UTF-8 that is named otherwise is read as UTF-8.
    """
    for mark, name in _BOMS:
        if raw.startswith(mark):
            return raw[len(mark) :].decode(name, "replace")
    declared = _META.search(raw[:4096])
    inside = (declared[1] or declared[2]).decode("ascii", "replace") if declared else None
    names = [name for name in map(_charset, (charset, inside)) if name]
    # Other charsets read what is UTF-8 as nonsense and do not complain; but for these, whose bytes are UTF-8 as well.
    first = [name for name in names[:1] if name.startswith(("utf-16", "iso2022", "hz"))]
    for name in dict.fromkeys([*first, "utf-8", *names]):
        try:
            return raw.decode(name)
        except UnicodeDecodeError:
            continue
    if names:
        return raw.decode(names[0], "replace")
    from charset_normalizer import from_bytes

    best = from_bytes(raw[:_DETECTED_BYTES]).best()
    return raw.decode(best.encoding if best else "cp1252", "replace")


def _charset(name: str | None) -> str | None:
    try:
        known = codecs.lookup(name.strip().strip("\"'")).name if name else None
    except (LookupError, ValueError):
        return None
    return _SUPERSETS.get(known, known) if known and _CHARSETS.fullmatch(known) else None


def parse(html: str) -> HtmlElement:
    """Return the tree of a page or of a piece of one, without comments. Nothing is loaded and no entity is declared.

    Raises:
        RecordError: there is no markup in it, or more of it than any story needs.
    """
    may_have_many = has_long_tag(html)
    if may_have_many:
        check_markup(html)
    parser = HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True, no_network=True, huge_tree=False)
    parser.set_element_class_lookup(_LOOKUP)
    try:
        tree = lxml.html.document_fromstring(_readable(html), parser=parser, ensure_head_body=True)
    except (LxmlError, AssertionError, ValueError):
        raise RecordError("holds no HTML that can be read; is it empty or cut off?") from None
    if may_have_many:
        check_attributes(tree)
    check_tree(tree)
    return tree


def _readable(html: str) -> bytes:
    """Return a page as UTF-8 in which U+FFFD stands for what lxml reads and cannot write."""
    html = _UNREADABLE_REFERENCES.sub("\ufffd", html)
    try:
        raw = html.encode("utf-8")
    except UnicodeEncodeError:
        return _UNREADABLE.sub("\ufffd", html).encode("utf-8")
    if len(raw.translate(None, _CONTROLS)) == len(raw) and not any(each in raw for each in _NO_CHARACTERS):
        return raw  # as nearly all are: looked for in bytes, which takes a tenth of the time
    return _UNREADABLE.sub("\ufffd", html).encode("utf-8")
