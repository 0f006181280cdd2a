"""The encodings that forms come in: urlencoded, multipart, JSON, plain text; in any charset.

Every body ends in fields (text by key, in the order sent) or in a clear refusal. Numbers stay the
text they were written in: nothing here makes a float.
"""

import base64
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn
from urllib.parse import unquote_plus, unquote_to_bytes

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
COOKIES = frozenset({"cookies", "tildaspec-cookie"})
"""Fields in which Tilda sends its visitor's cookies, in lower case. They are never kept."""
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

_REFERENCE = re.compile(r"&#([0-9]{3,7});")
_CUT_LETTER = re.compile(rb"(?:[\xc2-\xf4]|[\xe0-\xf4][\x80-\xbf]|[\xf0-\xf4][\x80-\xbf]{2})\Z")
_HALF = re.compile(r"\\u[dD][89a-fA-F]")
_JSON_START = re.compile(rb"(?:\xef\xbb\xbf)?\s*(?:\[\s*)?\{")
_LONG_FILENAME = re.compile(r"filename\*=([A-Za-z0-9-]{1,40})'[A-Za-z-]{0,20}'([!-~]{1,1000})")


class Body(NamedTuple):
    """A decoded body, and itself."""

    fields: Fields
    files: tuple[NamedFile, ...]
    text: str | None
    """Verbatim, where it is UTF-8; else in `base64`."""
    base64: str | None


def read_body(request: HttpRequest, legacy_charset: str = "") -> Body:
    """Reads a form in whichever encoding. Raises MalformedRequestError, BodyTooLargeError.

    `legacy_charset` is that of a page which names none and does not send UTF-8.
    """
    raw = _limited(request)
    files: tuple[NamedFile, ...] = ()
    if request.media_type == "multipart/form-data":
        fields, files = _multipart(raw, request.media_parameters, legacy_charset)
    else:
        charsets = (request.media_parameters.get("charset", ""), legacy_charset)
        fields = _reader(request.media_type, raw)(raw, charsets)
    _check_names(fields)
    check_size(fields)
    return Body(fields, files, *verbatim(raw))


def verbatim(raw: bytes) -> tuple[str | None, str | None]:
    """A body as it is kept: its text where it is UTF-8, else its base64."""
    try:
        return raw.decode("utf-8"), None
    except UnicodeDecodeError:
        return None, base64.b64encode(raw).decode("ascii")


def without(body: Body, request: HttpRequest, is_service: Callable[[str], bool]) -> Body:
    """The body without fields that are never kept: keys, say, and always cookies.

    Where these can be cut out of the verbatim text, the rest of it stays; else the answers are
    kept one by one.
    """

    def is_dropped(key: str) -> bool:
        return key.lower() in COOKIES or is_service(key)

    fields = tuple((key, text) for key, text in body.fields if not is_dropped(key))
    if len(fields) == len(body.fields):
        return body
    text = body.text or ""
    if request.media_type != URLENCODED or not text.isascii() or text.lstrip()[:1] == "{":
        return Body(fields, body.files, None, None)
    pairs = [pair for pair in text.split("&") if not is_dropped(unquote_plus(pair.split("=")[0]))]
    return Body(fields, body.files, "&".join(pairs) or None, None)


def with_query(request: HttpRequest) -> HttpRequest:
    """The request with the fields of its address in front of those of its body, for what is sent
    with GET, or with a POST whose body is empty."""
    sent = request.query_without("key")
    is_urlencoded = request.media_type == URLENCODED
    if not sent or (request.body and not is_urlencoded):
        return request
    body = b"&".join(filter(None, (sent.encode("utf-8", "ignore"), request.body)))
    headers = request.headers if is_urlencoded else {**request.headers, "content-type": URLENCODED}
    return replace(request, body=body, headers=headers)


def read_json(request: HttpRequest, legacy_charset: str = "") -> dict[str, Any]:
    """The JSON object of a body as it is nested, its numbers as text; whatever the type says.

    Raises MalformedRequestError, BodyTooLargeError.
    """
    raw = _limited(request)
    content = parse_json(_text(raw, (request.media_parameters.get("charset", ""), legacy_charset)))
    if not isinstance(content, dict):
        raise MalformedRequestError(NO_OBJECT)
    _check_depth(content)
    return content


def objects_in(items: object) -> list[dict[str, Any]]:
    """The objects of a JSON list; none of what is no list."""
    return [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []


def _limited(request: HttpRequest) -> bytes:
    if len(request.body) > MAX_BODY_BYTES:
        raise BodyTooLargeError(len(request.body))
    return request.body


Charsets = tuple[str, str]
"""The charset that a request names, or nothing; and the one that its form is known for."""


def _reader(media_type: str, raw: bytes) -> Callable[[bytes, Charsets], Fields]:
    if media_type == "application/json" or media_type.endswith("+json"):
        return _json
    looks_like_json = _JSON_START.match(raw) is not None
    if media_type.startswith("text/"):
        return _json if looks_like_json else _plain
    if media_type == URLENCODED:
        # What `curl -d '{…}'` says of its JSON; a form's first key never starts like that.
        return _json if looks_like_json and raw.rstrip()[-1:] in {b"}", b"]"} else _urlencoded
    if media_type in UNKNOWN:
        return _json if looks_like_json else _plain
    raise MalformedRequestError(WRONG_TYPE)


def _check_names(fields: Fields) -> None:
    if any(len(key) > MAX_KEY_LENGTH for key, _ in fields):
        raise MalformedRequestError(LONG_KEY)


def check_size(fields: Fields) -> None:
    """What is stored has the limit of what is sent. Raises MalformedRequestError,
    BodyTooLargeError.

    A one-byte charset may double in UTF-8, and one long name in JSON stand in every path.
    """
    if len(fields) > MAX_FIELDS:
        raise MalformedRequestError(TOO_MANY_FIELDS)
    size = sum(len(key) + len(text.encode("utf-8", "ignore")) for key, text in fields)
    if size > MAX_BODY_BYTES:
        raise BodyTooLargeError(size)


# --- charsets -------------------------------------------------------------------------------------


def _text(raw: bytes, charsets: Charsets) -> str:
    named, legacy = charsets
    return _decoded((raw,), named, legacy)[0]


def _decoded(texts: Sequence[bytes], named: str, legacy: str) -> list[str]:
    """All texts of a request, in the first charset that all of them are in: the one it names,
    UTF-8, the form's own. Raises MalformedRequestError.
    """
    known = dict.fromkeys((_codec(named), "utf-8", _codec(legacy)))
    for codec in filter(None, known):
        try:
            found = [raw.decode(codec) for raw in (_uncut(texts) if codec == "utf-8" else texts)]
        except UnicodeDecodeError:
            continue
        if codec == "utf-8":
            # Plain ASCII is in the form's charset too.
            plain = not _codec(named) and all(map(bytes.isascii, texts))
            codec = _codec(legacy) if plain else ""  # noqa: PLW2901 - which charset it was after all
        return [_with_letters(text, codec) for text in found]
    raise MalformedRequestError(WRONG_CHARSET)


def _uncut(texts: Sequence[bytes]) -> Sequence[bytes]:
    """Texts without the first half of a letter at their end, where a program cut them to so many
    bytes. Only where other letters show that it is UTF-8: alone it is a letter of another charset.
    """
    shorter = [_CUT_LETTER.sub(b"", raw) for raw in texts]
    return texts if all(map(bytes.isascii, shorter)) else shorter


def _codec(charset: str) -> str:
    return CHARSETS.get(charset.strip().lower(), "")


def _with_letters(text: str, codec: str) -> str:
    """The text with what a browser wrote as `&#1200;` for want of the letter in the charset."""
    if not codec or codec.startswith("utf") or "&#" not in text:
        return text

    def letter(reference: re.Match[str]) -> str:
        code = int(reference[1])
        if code >= 0x110000 or 0xD800 <= code < 0xE000:
            return reference[0]
        # A letter that the charset has was never written so: the visitor typed that.
        return reference[0] if _has(codec, code) else chr(code)

    return _REFERENCE.sub(letter, text)


@lru_cache(maxsize=1024)
def _has(codec: str, code: int) -> bool:
    try:
        chr(code).encode(codec)
    except UnicodeEncodeError:
        return False
    return True


def _texts(pairs: Sequence[tuple[bytes, bytes]], charsets: Charsets) -> Fields:
    """Pairs of bytes as text: by the charset that the type names, or the field `_charset_`."""
    named, legacy = charsets
    if not _codec(named):
        named = next((v[:40].decode("latin-1") for k, v in pairs if k == b"_charset_"), "")
    # Cookies are of all of the site's programs, and in any charset: nothing of them is an answer.
    pairs = [(k, _ascii(v) if _is_cookie(k) else v) for k, v in pairs]
    texts = _decoded([text for pair in pairs for text in pair], named, legacy)
    if not _codec(named) and not _codec(legacy) and all(map(str.isascii, texts)):
        # A page without a charset, or one that was never told: a browser in UTF-8 writes none.
        texts = [_with_letters(text, "ascii") for text in texts]
    return tuple(zip(texts[::2], texts[1::2], strict=True))


def _is_cookie(key: bytes) -> bool:
    return key.lower().decode("latin-1") in COOKIES


def _ascii(raw: bytes) -> bytes:
    return raw.decode("ascii", "backslashreplace").encode()


# --- urlencoded and plain text --------------------------------------------------------------------


def _urlencoded(raw: bytes, charsets: Charsets) -> Fields:
    chunks = raw.split(b"&", MAX_FIELDS + 1)
    if len(chunks) > MAX_FIELDS + 1:
        raise MalformedRequestError(TOO_MANY_FIELDS)
    pairs = [chunk.replace(b"+", b" ").partition(b"=") for chunk in chunks if chunk]
    return _texts([(unquote_to_bytes(key), unquote_to_bytes(v)) for key, _, v in pairs], charsets)


def _plain(raw: bytes, charsets: Charsets) -> Fields:
    """A beacon's string, or a form with `enctype=text/plain`: lines, nothing escaped."""
    if b"\n" not in raw.strip():
        return _urlencoded(raw.strip(), charsets)
    pairs: list[tuple[bytes, list[bytes]]] = []
    for line in raw.replace(b"\r\n", b"\n").rstrip(b"\n").split(b"\n"):
        key, equals, value = line.partition(b"=")
        if equals:
            pairs.append((key, [value]))
        elif pairs:  # the second line of a long answer
            pairs[-1][1].append(line)
    return _texts([(key, b"\n".join(lines)) for key, lines in pairs], charsets)


# --- JSON -----------------------------------------------------------------------------------------


def _json(raw: bytes, charsets: Charsets) -> Fields:
    content = parse_json(_text(raw, charsets))
    if isinstance(content, list):
        content = _of_list(content)
    if not isinstance(content, dict):
        raise MalformedRequestError(NO_OBJECT)
    return flat(content)


def _of_list(items: list[Any]) -> object:
    """The object that a list stands for: pairs of name and value, as jQuery's `serializeArray`
    makes them, or the only item."""
    if len(items) == 1 and isinstance(items[0], dict) and items[0].keys() != {"name", "value"}:
        return items[0]
    content: dict[str, list[Any]] = {}
    for item in items:
        if not isinstance(item, dict) or not isinstance(item.get("name"), str):
            return None
        content.setdefault(item["name"], []).append(item.get("value"))
    return content or None


def parse_json(text: str) -> Any:
    """Strict JSON, its numbers as the text they were written in, without halves of letters. Raises
    MalformedRequestError."""
    try:
        content = json.loads(
            text.removeprefix("\ufeff"),
            object_pairs_hook=_unique,
            parse_int=str,
            parse_float=_finite,
            parse_constant=_no_number,
        )
        return _without_halves(content) if _HALF.search(text) else content
    except RecursionError as error:
        raise MalformedRequestError(TOO_DEEP) from error
    except ValueError as error:
        raise MalformedRequestError(BAD_JSON) from error


def flat(content: Mapping[str, object], path: str = "") -> Fields:
    """Fields of a JSON object: what is nested by its path, `address.city`, `items.0.title`.

    What a page knows of the visit, the object `attribution`, stands for itself: its own fields
    are fields of the form. null says nothing. Raises MalformedRequestError for what is too deep or
    has too many fields, BodyTooLargeError.
    """
    fields: list[tuple[str, str]] = []
    size = 0
    for key, text in islice(_flat(content, path, 0), MAX_FIELDS + 1):
        fields.append((key, text))
        size += len(key) + len(text)
        if size > MAX_BODY_BYTES:
            raise BodyTooLargeError(size)
    if len(fields) > MAX_FIELDS:
        raise MalformedRequestError(TOO_MANY_FIELDS)
    return tuple(fields)


def _check_depth(content: dict[str, Any]) -> None:
    level: list[Any] = [content]
    for _ in range(MAX_DEPTH + 1):
        inner = (item.values() if isinstance(item, dict) else item for item in level)
        level = [item for items in inner for item in items if isinstance(item, dict | list)]
        if not level:
            return
    raise MalformedRequestError(TOO_DEEP)


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    content = dict(pairs)
    if len(content) < len(pairs):
        raise MalformedRequestError(TWICE_IN_JSON)
    return content


def _without_halves(content: Any) -> Any:
    """The same without halves of characters: a script that cuts a text to a length may cut an emoji
    in two. Nothing can store them."""
    if isinstance(content, str):
        return content.encode("utf-8", "ignore").decode()
    if isinstance(content, list):
        return [_without_halves(item) for item in content]
    if isinstance(content, dict):
        return _unique([(_without_halves(k), _without_halves(v)) for k, v in content.items()])
    return content


def _finite(text: str) -> str:
    if float(text) in {float("inf"), float("-inf")}:
        _no_number(text)
    return text


def _no_number(_: str) -> NoReturn:
    raise MalformedRequestError(NO_NUMBER)


def _flat(content: Mapping[str, object], path: str, depth: int) -> Iterator[tuple[str, str]]:
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


def _multipart(
    raw: bytes, parameters: Mapping[str, str], legacy_charset: str
) -> tuple[Fields, tuple[NamedFile, ...]]:
    # Few forms are multipart, so few containers pay for the parser.
    from multipart import MultipartSegment, PushMultipartParser  # noqa: PLC0415 - see above

    boundary = parameters.get("boundary", "")
    if not 0 < len(boundary) <= MAX_BOUNDARY_LENGTH:
        raise MalformedRequestError(BAD_MULTIPART)
    pairs: list[tuple[bytes, bytes]] = []
    files: list[tuple[MultipartSegment, int]] = []
    try:
        # Names are in the charset of the page, which may stand in the last part: bytes for now.
        parser = PushMultipartParser(
            boundary, max_segment_count=MAX_FIELDS, header_charset="latin-1"
        )
        charset = parameters.get("charset", "")
        segment: MultipartSegment | None = None
        chunks: list[bytes | bytearray] = []
        with parser:
            for event in parser.parse(raw):
                if isinstance(event, MultipartSegment):
                    segment, chunks = event, []
                elif event:
                    chunks.append(event)
                elif segment is not None and _is_file(segment):
                    files.append((segment, sum(map(len, chunks))))
                elif segment is not None:
                    pairs.append((segment.name.encode("latin-1"), b"".join(chunks)))
                    charset = charset or segment.charset or ""
    except (ValueError, LookupError, AssertionError) as error:
        # The parser's own errors are ValueErrors; the others are its slips on hostile input.
        raise MalformedRequestError(BAD_MULTIPART) from error
    named = [
        (segment.name.encode("latin-1"), (segment.filename or "").encode("latin-1"))
        for segment, _ in files
    ]
    texts = _texts([*pairs, *named], (charset, legacy_charset))
    fields, names = texts[: len(pairs)], texts[len(pairs) :]
    return fields, tuple(
        NamedFile(key, filename or _long_filename(segment), segment.content_type or "", size)
        for (key, filename), (segment, size) in zip(names, files, strict=True)
        if filename or size  # a file field where nothing was chosen comes with neither
    )


def _is_file(segment: "MultipartSegment") -> bool:
    return segment.filename is not None or "filename" in segment.header("Content-Disposition", "")


def _long_filename(segment: "MultipartSegment") -> str:
    """The name that some scripts send as `filename*=UTF-8''%D0%A2%D0%97.pdf` (RFC 5987)."""
    found = _LONG_FILENAME.search(segment.header("Content-Disposition", ""))
    if found is None:
        return ""
    try:
        return unquote_to_bytes(found[2]).decode(_codec(found[1]) or "utf-8")
    except UnicodeDecodeError:
        return ""
