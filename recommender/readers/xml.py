"""XML from strangers: its characters, and what must be known of it before anything else reads it. The one owner of defusedxml."""

from __future__ import annotations

import codecs
import io
import re
import zlib
from xml.sax import SAXException
from xml.sax.handler import ContentHandler
from xml.sax.xmlreader import AttributesImpl

from defusedxml import DefusedXmlException
from defusedxml.expatreader import DefusedExpatParser

from recommender.errors import SourceError

MAX_ATTRIBUTES = 200
MAX_DEPTH = 500
_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_DECLARATION = re.compile(r"\s*<\?xml\b[^>]{0,300}\?>")
# Names a file elsewhere and declares nothing, as RSS 0.91 does; nobody looks at it.
_DOCTYPE = re.compile(r"<!DOCTYPE[^>\[]{0,1000}>", re.IGNORECASE)
_ENCODING = re.compile(rb"""^\s*<\?xml\b[^>]{0,200}?encoding\s*=\s*["']([\w.:-]{2,40})""")
# Some of Python's codecs are no charsets of documents (utf-7 hides markup), and some of those take quadratic time.
_CHARSETS = re.compile(
    r"utf-8|utf-16(-[lb]e)?|ascii|iso8859-\d{1,2}|cp\d{3,4}|koi8-[rtu]|gb2312|gbk|gb18030|big5|euc_(jp|kr)|shift_jis|iso2022_jp"
)
_ROOT = re.compile(r"<(?:[\w.-]{1,100}:)?([\w.-]{1,100})[\s/>]")
_BEFORE_ROOT = re.compile(
    r"\s+|<\?.{0,10000}?\?>|<!--.{0,10000}?-->|<!DOCTYPE[^>\[]{0,1000}(?:\[[^\]]{0,10000}\]\s*)?>",
    re.DOTALL | re.IGNORECASE,
)


def unzipped(raw: bytes, limit: int) -> bytes:
    """Return what a gzip file holds; other bytes as they are.

    Raises:
        SourceError: it is damaged, or holds over ``limit`` bytes.
    """
    if not raw.startswith(b"\x1f\x8b"):
        return raw
    found = b""
    try:
        while raw.startswith(b"\x1f\x8b"):  # a file may have several members
            part = zlib.decompressobj(wbits=31)
            found += part.decompress(raw, max(limit + 1 - len(found), 1))
            if len(found) > limit:
                raise SourceError(f"holds over {limit:,} bytes when decompressed")
            if not part.eof:
                raise SourceError("is a gzip file that was cut")
            raw = part.unused_data
    except zlib.error as error:
        raise SourceError(f"is a damaged gzip file ({error})") from None
    return found


def xml_text(raw: bytes, charset: str | None = None) -> str:
    """Return the characters of a document: by byte order mark, its own declaration, ``charset`` of the HTTP header, else UTF-8.

    The declaration is taken off, and a document type that declares nothing. What the charset does not know becomes U+FFFD.
    """
    for mark, name in _BOMS:
        if raw.startswith(mark):
            return _bare(raw[len(mark) :].decode(name, "replace"))
    declared = _ENCODING.search(raw[:1000])
    text = None
    for named in (declared[1].decode("ascii") if declared else None, charset, "utf-8"):
        try:
            if named and _CHARSETS.fullmatch(codecs.lookup(named).name):
                text = raw.decode(named)
                break
        except (LookupError, UnicodeError, ValueError):
            continue
    return _bare(raw.decode("utf-8", "replace") if text is None else text)


def _bare(text: str) -> str:
    head = _DOCTYPE.sub("", _DECLARATION.sub("", text[:5_000], count=1), count=1)
    return head + text[5_000:]


def root_name(text: str) -> str:
    """Return the name of a document's first element without its prefix, in lower case; empty where there is none."""
    at = 0
    while found := _BEFORE_ROOT.match(text, at):
        at = found.end()
    root = _ROOT.match(text, at)
    return root[1].lower() if root else ""


class _Checking(ContentHandler):
    def __init__(self) -> None:
        super().__init__()
        self._depth = 0

    def startElement(self, name: str, attrs: AttributesImpl) -> None:
        self._depth += 1
        if len(attrs) > MAX_ATTRIBUTES:
            raise SourceError(f"has a tag with {len(attrs):,} attributes, at most {MAX_ATTRIBUTES} are taken")
        if self._depth > MAX_DEPTH:
            raise SourceError(f"is nested over {MAX_DEPTH} deep")

    def endElement(self, name: str) -> None:
        self._depth -= 1


def check_xml(text: str) -> str | None:
    """Return what is wrong with the form of a document, None where it is well-formed.

    Raises:
        SourceError: it declares entities, has a tag with too many attributes, or is nested too deep.
    """
    parser = DefusedExpatParser(forbid_dtd=False, forbid_entities=True, forbid_external=True)
    parser.setContentHandler(_Checking())
    try:
        parser.parse(io.BytesIO(text.encode("utf-8", "replace")))
    except DefusedXmlException:
        raise SourceError("declares entities, which no feed or sitemap needs; it is not read") from None
    except (SAXException, ValueError) as error:
        line = getattr(error, "getLineNumber", lambda: None)()
        return f"is broken XML{f' (line {line})' if line else ''}"
    return None
