"""Find encoded pictures in text of any size, in linear time, without parsing it.

A picture is text that stands somewhere: in JSON, in JSON within a JSON string, in Markdown, in prose. What
finds it therefore looks for where one can begin (``;base64,``, the first characters that base64 gives the
signature of each picture format, the keys that providers use, placeholders of held payloads), and follows
the base64 from there to its end, through line breaks and the escapes of JSON and URLs. Everything runs on
UTF-8 bytes with searches of the C library, so that a picture costs about as much as copying it.
"""

from __future__ import annotations

import binascii
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vlmops.images.sniff import sniff
from vlmops.tracing.picture import HELD_PREFIX

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    _Reader = Callable[[bytes, int, int], "tuple[Run | None, int]"]

MAX_CANDIDATES = 100_000
"""Places in one text that are looked at; the text behind them is left out of a hostile one."""

_SHORTEST_BARE = 40
_SHORTEST_KEYED = 200
_SHORTEST_CONTINUATION = 256
_LINE = (56, 80)
_HEADER = 160
_NEIGHBOURHOOD = 256
_HEAD_CHARACTERS = 64
_WINDOW = 1 << 16
_FIRST_WINDOW = 1 << 11
_SHORT = 2048
_LONGEST_MARK = 20

_ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_"
_ENDS = b" \t\r\n\v\f\x00\"'`()<>[]{},\\|;&^"
_IN_ALPHABET = bytes(65 if value in _ALPHABET else 46 for value in range(256))
_NO_END = bytes(46 if value in _ENDS else 65 for value in range(256))

_DATA_URI_HEAD = re.compile(
    rb"data:([\w.+-]{1,60}\\{0,64}/[\w.+-]{1,60})?((?:;[\w.+-]+=[\w.+-]*){0,4})\Z", re.IGNORECASE
)
_ESCAPED = re.compile(rb"\\{1,64}(?:(/)|u00(2[bBfF]|3[dD]))|%(2[bBfF]|3[dD])")
_BREAK = re.compile(rb"(?:\\{1,64}[rnt]|[\r\n\t ,;|&^]){1,16}")
_LINE_BREAK = re.compile(rb"(?:(?:\\{1,64}r|\r)?(?:\\{1,64}n|\n))[\t ]{0,8}\Z")
_PADDING = re.compile(rb"(?:=|%3[dD]|\\{1,64}u003[dD]){1,2}")
_PUNCTUATION = re.compile(rb"[.!?:*~]{1,3}\Z")
_KEYED = re.compile(rb"\\{0,64}\"\s{0,8}:\s{0,8}\\{0,64}\"")
_PLACE = HELD_PREFIX.encode()
_TOKEN = re.compile(rb"[A-Za-z0-9_-]{1,128}")

_BASE64 = b";base64,"
_HEADS = (b"/9j/", b"_9j_", b"iVBORw0KGgo", b"R0lGOD", b"UklGR", b"SUkqA", b"TU0AK")
_BOX_HEAD = b"Z0eXB"  # "ftyp" at byte 4: AVIF, HEIC; six characters into the text
_SURE_KEYS = (b"b64_json", b"partial_image_b64")
_UNSURE_KEYS = (b'"data', b'"content', b'"result', b'"bytes', b'"base64')


@dataclass(frozen=True, slots=True)
class Run:
    """An encoded picture in a text.

    Attributes:
        start: Where it begins, in bytes.
        end: Where it ends.
        body: Its base64 without blanks and escapes, or the placeholder of a held payload.
        media_type: As its data URI declares; empty where none does.
        is_data_uri: Whether it has the form of a data URI.
    """

    start: int
    end: int
    body: bytes
    media_type: str = ""
    is_data_uri: bool = False

    @property
    def payload(self) -> str:
        """The picture as :class:`~vlmops.tracing.picture.FoundPicture` carries it."""
        body = self.body.decode("utf-8", "replace")
        return f"data:{self.media_type};base64,{body}" if self.is_data_uri else body


def may_hold_picture(text: str) -> bool:
    """Whether a text is worth scanning: true for all long ones, and for short ones that hold a mark."""
    return len(text) > _SHORT or any(mark in text for mark in _MARKS)


_MARKS = tuple(mark.decode() for mark in (_PLACE, _BASE64, *_HEADS, _BOX_HEAD, *_SURE_KEYS, *_UNSURE_KEYS))


def replace_runs(text: str, replacement: Callable[[Run], str]) -> str:
    """The text with each picture replaced; all else stays as it is, character by character.

    Args:
        text: Of any size and content.
        replacement: What to write in the place of a picture; must hold no quotes and no backslashes, so that
            JSON stays JSON.

    Returns:
        The same object where there is no picture.

    Example:
        >>> gif = "R0lGODdhAQABAIAAAP///////ywAAAAAAQABAAACAkQBADs="
        >>> replace_runs('{"b64_json": "' + gif + '"}', lambda run: "[picture]")
        '{"b64_json": "[picture]"}'
    """
    if not may_hold_picture(text):
        return text
    data = text.encode("utf-8", "surrogatepass")
    parts: list[bytes] = []
    done = 0
    for run in runs(data):
        parts += [data[done : run.start], replacement(run).encode("utf-8", "surrogatepass")]
        done = run.end
    if not parts:
        return text
    parts.append(data[done:])
    return b"".join(parts).decode("utf-8", "surrogatepass")


def runs(data: bytes) -> Iterator[Run]:
    """The pictures in UTF-8 text, in order; they do not overlap.

    Time and memory grow linearly with the text, whatever it holds.
    """
    candidates = _Candidates(data)
    position = 0
    for _ in range(MAX_CANDIDATES):
        candidate = candidates.next(position)
        if candidate is None:
            return
        at, read = candidate
        run, position = read(data, at, position)
        if run is not None:
            yield run
    yield Run(position, len(data), b"")


class _Candidates:
    """Where pictures may begin, in order.

    All marks are looked for within one window at a time: the text of a picture, which is most of any large
    attribute, is followed once and never searched.
    """

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._places: dict[bytes, int] = {}
        self._end = 0
        self._window = _FIRST_WINDOW

    def next(self, position: int) -> tuple[int, _Reader] | None:
        """The first mark from ``position`` on, and what reads it."""
        while True:
            for mark in [mark for mark, place in self._places.items() if place < position]:
                self._find(mark, position)
            if self._places:
                mark = min(self._places, key=self._places.__getitem__)
                return self._places[mark], _READERS[mark]
            if self._end >= len(self._data):
                return None
            start = max(position, self._end - _LONGEST_MARK)
            self._end = start + self._window
            self._window = min(2 * self._window, _WINDOW)
            for mark in _READERS:
                self._find(mark, max(start, position))

    def _find(self, mark: bytes, start: int) -> None:
        place = self._data.find(mark, start, self._end)
        if place >= 0:
            self._places[mark] = place
        else:
            self._places.pop(mark, None)


def _held(data: bytes, at: int, _: int) -> tuple[Run | None, int]:
    token = _TOKEN.match(data, at + len(_PLACE))
    if token is None:
        return None, at + len(_PLACE)
    return Run(at, token.end(), data[at : token.end()]), token.end()


def _data_uri(data: bytes, at: int, floor: int) -> tuple[Run | None, int]:
    start = at + len(_BASE64)
    begin = max(floor, at - _HEADER)
    place = data[begin:at].lower().rfind(b"data:")
    head = _DATA_URI_HEAD.match(data, begin + place, at) if place >= 0 else None
    token = _TOKEN.match(data, start + len(_PLACE)) if data.startswith(_PLACE, start) else None
    if head is not None and token is not None:
        # An instrumentor took a placeholder for base64.
        return Run(head.start(), token.end(), data[start : token.end()]), token.end()
    body, end = _follow(data, start)
    if head is None:
        return None, start if _is_picture(body) else end
    body, end = _with_broken_rest(data, start, body, end)
    media_type = (head[1] or b"").replace(b"\\", b"").decode().lower()
    if not body or not (media_type.startswith("image/") or _is_picture(body)):
        return None, end
    return Run(head.start(), end, body, media_type, is_data_uri=True), end


def _bare(data: bytes, at: int, floor: int) -> tuple[Run | None, int]:
    if not _begins(data, at, floor):
        return None, _alphabet_end(data, at)
    body, end = _follow(data, at)
    if len(body) < _SHORTEST_BARE or not _is_picture(body):
        return None, end
    return Run(at, end, body), end


def _box(data: bytes, at: int, floor: int) -> tuple[Run | None, int]:
    start = at - 6
    if start < floor or data[start : start + 4] != b"AAAA":
        return None, _alphabet_end(data, at)
    return _bare(data, start, floor)


def _keyed(data: bytes, at: int, mark: bytes, *, sure: bool) -> tuple[Run | None, int]:
    """A value under a key that providers use for pictures, whatever its first bytes are."""
    opening = _KEYED.match(data, at + len(mark))
    if opening is None:
        return None, at + 1
    start = opening.end()
    if _alphabet_end(data, start) - start < _SHORTEST_KEYED:
        return None, start
    body, end = _follow(data, start)
    around = data[max(0, at - _NEIGHBOURHOOD) : at] + data[end : end + _NEIGHBOURHOOD]
    if sure or b"image" in around or _is_picture(body):
        return Run(start, end, body), end
    return None, end


def _sure(mark: bytes) -> _Reader:
    return lambda data, at, _: _keyed(data, at, mark, sure=True)


def _unsure(mark: bytes) -> _Reader:
    return lambda data, at, _: _keyed(data, at, mark, sure=False)


_READERS: dict[bytes, _Reader] = {
    _PLACE: _held,
    _BASE64: _data_uri,
    **dict.fromkeys(_HEADS, _bare),
    _BOX_HEAD: _box,
    **{mark: _sure(mark) for mark in _SURE_KEYS},
    **{mark: _unsure(mark) for mark in _UNSURE_KEYS},
}


def _begins(data: bytes, at: int, floor: int) -> bool:
    """Whether base64 can begin here: what stands before it is no base64, or the end of an escape."""
    if at == floor or data[at - 1] not in _ALPHABET:
        return True
    return at - 2 >= floor and data[at - 2] == 0x5C and data[at - 1] in b"nrt"


def _follow(data: bytes, start: int) -> tuple[bytes, int]:
    """Base64 from ``start`` on, without blanks and escapes, and where it ends."""
    end = _alphabet_end(data, start)
    pieces = [data[start:end]]
    line = end - start
    total = line
    while end < len(data):
        padding = _PADDING.match(data, end)
        if padding is not None:
            return b"".join(pieces) + b"=" * (-total % 4), padding.end()
        escaped = _ESCAPED.match(data, end)
        if escaped is not None:
            start, end = escaped.end(), _alphabet_end(data, escaped.end())
            piece = _character(escaped) + data[start:end]
            line += len(piece)
        else:
            found = _continuation(data, end, line, total)
            if found is None:
                break
            start, end = found
            piece = data[start:end]
            line = len(piece)
        pieces.append(piece)
        total += len(piece)
    return b"".join(pieces), end


def _character(escaped: re.Match[bytes]) -> bytes:
    code = escaped[2] or escaped[3]
    return b"/" if code is None else bytes([int(code, 16)])


def _continuation(data: bytes, end: int, line: int, total: int) -> tuple[int, int] | None:
    """The next piece of base64 behind a break, if what follows is one rather than other text."""
    gap = _BREAK.match(data, end)
    if gap is None:
        return None
    start = gap.end()
    stop = _alphabet_end(data, start)
    length = stop - start
    if length >= _SHORTEST_CONTINUATION:
        return None if _is_picture(data[start : start + _HEAD_CHARACTERS]) else (start, stop)
    if line > _LINE[1] or not length or _LINE_BREAK.fullmatch(gap[0]) is None:
        return None
    if _LINE[0] <= length <= _LINE[1] and (length == line or line == total):
        return start, stop
    padding = _PADDING.match(data, stop)
    whole = padding is not None or (total + length) % 4 == 0
    return (start, stop) if _LINE[0] <= line and length < line and whole else None


def _with_broken_rest(data: bytes, start: int, body: bytes, end: int) -> tuple[bytes, int]:
    """A damaged data URI goes on to where a string or word ends, so that none of it stays behind."""
    if end >= len(data) or data[end] in _ENDS or data[end - 1] in b"=":
        return body, end
    stop = _scan(data, end, _NO_END)
    rest = data[end:stop]
    if _PUNCTUATION.match(rest) or (not body and len(rest) < _SHORTEST_BARE):
        return body, end
    return data[start:stop], stop


def _alphabet_end(data: bytes, start: int) -> int:
    return _scan(data, start, _IN_ALPHABET)


def _scan(data: bytes, start: int, table: bytes) -> int:
    """Where the first byte is that the table maps to a full stop; in pieces, to copy little."""
    size = 128
    while start < len(data):
        found = data[start : start + size].translate(table).find(b".")
        if found >= 0:
            return start + found
        start += size
        size = min(size * 8, 1 << 18)
    return len(data)


def _is_picture(body: bytes) -> bool:
    head = body[:_HEAD_CHARACTERS].translate(_URL_SAFE)
    try:
        return sniff(binascii.a2b_base64(head[: len(head) // 4 * 4])).is_image
    except binascii.Error:
        return False


_URL_SAFE = bytes.maketrans(b"-_", b"+/")


def decoded(body: bytes) -> bytes:
    r"""The bytes of base64, in the standard or the URL-safe alphabet, padded or not.

    Raises:
        ValueError: It is not base64, or its length is none that base64 can have.

    Example:
        >>> decoded(b"_9j_"), decoded(b"R0lGODlh")
        (b'\xff\xd8\xff', b'GIF89a')
    """
    if b"-" in body or b"_" in body:
        body = body.translate(_URL_SAFE)
    return binascii.a2b_base64(body + b"=" * (-len(body) % 4), strict_mode=True)
