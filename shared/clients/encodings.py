"""The encodings that forms come in: urlencoded, multipart, JSON, plain text; in any charset.

Every body ends in fields (text by key, in the order sent) or in a clear refusal. Numbers stay the
text they were written in: nothing here makes a float.
"""

import base64
import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple, NoReturn
from urllib.parse import unquote_to_bytes

from shared.domain.submission import NamedFile
from shared.errors import BodyTooLargeError, MalformedRequestError
from shared.http import MAX_BODY_BYTES, HttpRequest
from shared.texts import mark

if TYPE_CHECKING:
    from multipart import MultipartSegment

Fields = tuple[tuple[str, str], ...]

MAX_FIELDS = 500
MAX_KEY_LENGTH = 200
MAX_DEPTH = 20
MAX_BOUNDARY_LENGTH = 200

URLENCODED = "application/x-www-form-urlencoded"
UNKNOWN = frozenset({"", "application/octet-stream"})
"""Types that say nothing: the body is looked at."""

TOO_MANY_FIELDS = mark("The form has too many fields: at most 500.")
LONG_KEY = mark("A field's name is too long: at most 200 characters.")
WRONG_CHARSET = mark("The text is not in the charset that it says, or in UTF-8 if it says none.")
BAD_JSON = mark("The body is not valid JSON.")
NO_OBJECT = mark("The JSON body must be an object with the fields of the form.")
TWICE_IN_JSON = mark("The JSON body has the same key twice.")
NO_NUMBER = mark("The JSON body has a number that is no number, such as NaN or 1e999.")
TOO_DEEP = mark("The JSON body is nested too deeply.")
BAD_MULTIPART = mark("The multipart body is damaged or has no valid boundary.")
WRONG_TYPE = mark(
    "This content type is not understood: send application/json, "
    "application/x-www-form-urlencoded, multipart/form-data or text/plain."
)

_CHARSETS = {
    "utf-8": "utf-8 utf8 unicode-1-1-utf-8 us-ascii ascii",
    "cp1251": "windows-1251 cp1251 x-cp1251 win-1251",
    "cp1252": "windows-1252 cp1252 x-cp1252 iso-8859-1 iso8859-1 latin1 latin-1 l1",
    "cp1250": "windows-1250 cp1250",
    "cp1253": "windows-1253 cp1253",
    "cp1254": "windows-1254 cp1254 iso-8859-9",
    "cp1257": "windows-1257 cp1257",
    "iso8859-2": "iso-8859-2 latin2",
    "iso8859-5": "iso-8859-5",
    "iso8859-15": "iso-8859-15 latin9",
    "koi8-r": "koi8-r koi8 koi",
    "koi8-u": "koi8-u koi8-ru",
    "cp866": "ibm866 cp866 866",
    "mac-cyrillic": "x-mac-cyrillic",
    "gb18030": "gb18030 gbk gb2312",
    "big5": "big5",
    "shift_jis": "shift_jis sjis",
    "euc-jp": "euc-jp",
    "euc-kr": "euc-kr ks_c_5601-1987",
    "utf-16-le": "utf-16 utf-16le",
}
CHARSETS = {label: codec for codec, labels in _CHARSETS.items() for label in labels.split()}
"""What browsers can send. Python knows more codecs, some of them slow or no text at all."""

_REFERENCE = re.compile(r"&#(\d{2,7});")


class Body(NamedTuple):
    """A decoded body, and itself."""

    fields: Fields
    files: tuple[NamedFile, ...]
    text: str | None
    """Verbatim, where it is UTF-8; else in `base64`."""
    base64: str | None


def read_body(request: HttpRequest) -> Body:
    """Reads a form in whichever encoding. Raises MalformedRequestError, BodyTooLargeError."""
    raw = request.body
    if len(raw) > MAX_BODY_BYTES:
        raise BodyTooLargeError(len(raw))
    files: tuple[NamedFile, ...] = ()
    if request.media_type == "multipart/form-data":
        fields, files = _multipart(raw, request.media_parameters)
    else:
        fields = _reader(request.media_type, raw)(raw, request.media_parameters.get("charset", ""))
    _check_size(fields)
    try:
        return Body(fields, files, raw.decode("utf-8"), None)
    except UnicodeDecodeError:
        return Body(fields, files, None, base64.b64encode(raw).decode("ascii"))


def _reader(media_type: str, raw: bytes) -> Callable[[bytes, str], Fields]:
    if media_type == "application/json" or media_type.endswith("+json"):
        return _json
    looks_like_json = raw.lstrip()[:1] == b"{"
    if media_type.startswith("text/"):
        return _json if looks_like_json else _plain
    if media_type == URLENCODED:
        # What `curl -d '{…}'` says of its JSON; a form's first key never starts like that.
        return _json if looks_like_json and raw.rstrip()[-1:] == b"}" else _urlencoded
    if media_type in UNKNOWN:
        return _json if looks_like_json else _plain
    raise MalformedRequestError(WRONG_TYPE)


def _check_size(fields: Fields) -> None:
    """A one-byte charset may double in UTF-8; what is stored has the limit of what is sent."""
    if len(fields) > MAX_FIELDS:
        raise MalformedRequestError(TOO_MANY_FIELDS)
    if any(len(key) > MAX_KEY_LENGTH for key, _ in fields):
        raise MalformedRequestError(LONG_KEY)
    size = sum(len(key) + len(text.encode("utf-8", "ignore")) for key, text in fields)
    if size > MAX_BODY_BYTES:
        raise BodyTooLargeError(size)


# --- charsets -------------------------------------------------------------------------------------


def _text(raw: bytes, charset: str) -> str:
    """The text, with what a browser wrote as `&#1200;` for want of the letter in the charset."""
    codec = CHARSETS.get(charset.strip().lower(), "utf-8")
    try:
        text = raw.decode(codec)
    except UnicodeDecodeError as error:
        raise MalformedRequestError(WRONG_CHARSET) from error
    if codec == "utf-8" or "&#" not in text:
        return text
    return _REFERENCE.sub(_letter, text)


def _letter(reference: re.Match[str]) -> str:
    code = int(reference[1])
    return chr(code) if 0x1F < code < 0x110000 and not 0xD800 <= code < 0xE000 else reference[0]


def _texts(pairs: list[tuple[bytes, bytes]], charset: str) -> Fields:
    """Pairs of bytes as text: by the charset that the type names, or the field `_charset_`."""
    if not charset:
        charset = next((v[:40].decode("latin-1") for k, v in pairs if k == b"_charset_"), "")
    return tuple((_text(key, charset), _text(value, charset)) for key, value in pairs)


# --- urlencoded and plain text --------------------------------------------------------------------


def _urlencoded(raw: bytes, charset: str) -> Fields:
    chunks = raw.split(b"&", MAX_FIELDS + 1)
    if len(chunks) > MAX_FIELDS + 1:
        raise MalformedRequestError(TOO_MANY_FIELDS)
    pairs = [chunk.replace(b"+", b" ").partition(b"=") for chunk in chunks if chunk]
    return _texts([(unquote_to_bytes(key), unquote_to_bytes(v)) for key, _, v in pairs], charset)


def _plain(raw: bytes, charset: str) -> Fields:
    """A beacon's string, or a form with `enctype=text/plain`: lines, nothing escaped."""
    if b"\n" not in raw.strip():
        return _urlencoded(raw.strip(), charset)
    pairs: list[tuple[str, list[str]]] = []
    for line in _text(raw, charset).replace("\r\n", "\n").rstrip("\n").split("\n"):
        key, equals, value = line.partition("=")
        if equals:
            pairs.append((key, [value]))
        elif pairs:  # the second line of a long answer
            pairs[-1][1].append(line)
    return tuple((key, "\n".join(lines)) for key, lines in pairs)


# --- JSON -----------------------------------------------------------------------------------------


def _json(raw: bytes, charset: str) -> Fields:
    text = _text(raw, charset).removeprefix("\ufeff")
    try:
        content = json.loads(
            text,
            object_pairs_hook=_unique,
            parse_int=str,
            parse_float=_finite,
            parse_constant=_no_number,
        )
    except RecursionError as error:
        raise MalformedRequestError(TOO_DEEP) from error
    except ValueError as error:
        raise MalformedRequestError(BAD_JSON) from error
    if not isinstance(content, dict):
        raise MalformedRequestError(NO_OBJECT)
    fields: list[tuple[str, str]] = []
    for pair in _flat(content, "", 0):
        fields.append(pair)
        if len(fields) > MAX_FIELDS:
            raise MalformedRequestError(TOO_MANY_FIELDS)
    return tuple(fields)


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    content = dict(pairs)
    if len(content) < len(pairs):
        raise MalformedRequestError(TWICE_IN_JSON)
    return content


def _finite(text: str) -> str:
    if float(text) in {float("inf"), float("-inf")}:
        _no_number(text)
    return text


def _no_number(_: str) -> NoReturn:
    raise MalformedRequestError(NO_NUMBER)


def _flat(content: Mapping[str, object], path: str, depth: int) -> Iterator[tuple[str, str]]:
    """Fields of a JSON object: what is nested by its path, `address.city`, `items.0.title`.

    What a page knows of the visit, the object `attribution`, stands for itself: its own fields
    are fields of the form. null says nothing.
    """
    if depth > MAX_DEPTH:
        raise MalformedRequestError(TOO_DEEP)
    for name, value in content.items():
        key = f"{path}{name}"
        items = value if isinstance(value, list) else [value]
        for place, item in enumerate(items):
            if isinstance(item, list):
                yield from _flat({str(n): i for n, i in enumerate(item)}, f"{key}.", depth + 1)
            elif isinstance(item, dict):
                inner = f"{key}.{place}." if isinstance(value, list) else f"{key}."
                yield from _flat(item, "" if key == "attribution" else inner, depth + 1)
            elif item is not None:
                text = {True: "true", False: "false"}[item] if isinstance(item, bool) else str(item)
                yield key, text


# --- multipart ------------------------------------------------------------------------------------


def _multipart(raw: bytes, parameters: Mapping[str, str]) -> tuple[Fields, tuple[NamedFile, ...]]:
    # Few forms are multipart, so few containers pay for the parser.
    from multipart import MultipartSegment, PushMultipartParser  # noqa: PLC0415 - see above

    boundary = parameters.get("boundary", "")
    if not 0 < len(boundary) <= MAX_BOUNDARY_LENGTH:
        raise MalformedRequestError(BAD_MULTIPART)
    pairs: list[tuple[bytes, bytes]] = []
    files: list[tuple[MultipartSegment, bytes]] = []
    try:
        # Names are in the charset of the page, which may stand in the last part: bytes for now.
        parser = PushMultipartParser(
            boundary, max_segment_count=MAX_FIELDS, header_charset="latin-1"
        )
        segment, content = None, b""
        with parser:
            for event in parser.parse(raw):
                if isinstance(event, MultipartSegment):
                    segment, content = event, b""
                elif event:
                    content += event
                elif segment is not None and _is_file(segment):
                    files.append((segment, content))
                elif segment is not None:
                    pairs.append((segment.name.encode("latin-1"), content))
    except (ValueError, LookupError, AssertionError) as error:
        # The parser's own errors are ValueErrors; the others are its slips on hostile input.
        raise MalformedRequestError(BAD_MULTIPART) from error
    named = [
        (segment.name.encode("latin-1"), (segment.filename or "").encode("latin-1"))
        for segment, _ in files
    ]
    texts = _texts([*pairs, *named], parameters.get("charset", ""))
    fields, names = texts[: len(pairs)], texts[len(pairs) :]
    return fields, tuple(
        NamedFile(key, filename, segment.content_type or "", len(content))
        for (key, filename), (segment, content) in zip(names, files, strict=True)
        if filename or content  # a file field where nothing was chosen comes with neither
    )


def _is_file(segment: "MultipartSegment") -> bool:
    return segment.filename is not None or "filename" in segment.header("Content-Disposition", "")
