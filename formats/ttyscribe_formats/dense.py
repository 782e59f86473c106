# SPDX-License-Identifier: Apache-2.0
"""Binary data split into text and what is not UTF-8, and measured, many bytes at once.

A megabyte of it has half a million runs, too many for a step of the interpreter each. So each byte becomes a lane of
eight bits of one large number, and shifts, sums, ands and ors of such numbers look at all lanes together; then each
character and each invalid sequence is one letter of a string, and runs are replaced by their records like words.
Gives exactly what `text.py` gives. Loaded in the login path.
"""

from itertools import compress

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ttyscribe_formats.text import Run

    Measured = tuple[str, bytes, str, str, int, int]
    """Records of all runs but the last, the last run's letters; of all: text, numbers, bytes, invalid bytes."""
    Records = tuple[list[bytes], list[bytes], bytes]
    """By size: records of texts, and of cuts of single bytes; and a template for other cuts."""

BORDER = 3
"""A byte's part in a character depends on at most so many neighbours on each side."""
STEP = 8000
"""Bytes at a time: what comes of them stays in the processor's first cache."""
WHOLE = 0x10
"""The bit of a lane that says so."""

_LARGEST = STEP + 2 * BORDER
_MARK = int.from_bytes(bytes([WHOLE]) * _LARGEST, "little")
_FURTHER = int.from_bytes(b"\x0e" * _LARGEST, "little")


def lanes_of(single: "bytes | range", c2: int) -> bytes:
    """A table for `characters`: these bytes below 80 are wanted, and these second bytes after c2.

    Bit 0: wanted by itself. Bits 1 to 3: goes on as 80-8f, 90-9f, a0-bf. A first byte has the second bytes that it
    allows in bits 5 to 7, bit 4 where a third must follow, and bit 0 beside bit 4 where a fourth must.
    """
    table = bytearray(256)
    for byte in single:
        table[byte] = 1
    table[0x80:0xC0] = b"\x02" * 16 + b"\x04" * 16 + b"\x08" * 32
    table[0xC2:0xE0] = bytes([c2]) + b"\xe0" * 29
    table[0xE0:0xF0] = b"\xf0" * 16
    table[0xF0:0xF5] = b"\xd1\xf1\xf1\xf1\x31"
    table[0xE0], table[0xED] = 0x90, 0x70  # else overlong, a surrogate
    return bytes(table)


_UTF8 = lanes_of(range(0x80), 0xE0)


def characters(data: bytes, table: bytes) -> tuple[int, int]:
    """Which bytes belong to wanted characters, and which go on with what the byte before them began: bit 4 of lanes.

    Of at most STEP + 2 * BORDER bytes; the first and last BORDER may lack what they depend on.
    """
    lanes = int.from_bytes(data.translate(table), "little")
    shifted = lanes << 4  # in bit 4 what was in bit 0; in bits 1 to 3 the second bytes that the byte before allows
    single = shifted & _MARK
    whole = single ^ (single & lanes)
    # Adding 14 to bits 1 to 3 carries into bit 4 where any of them is set.
    second = ((shifted & lanes & _FURTHER) + _FURTHER) & _MARK
    if not second:
        return whole, 0
    before = lanes << 8
    more = second & before
    if not more:
        return whole | second | second >> 8, second
    follows = ((lanes & _FURTHER) + _FURTHER) & _MARK
    third = more << 8 & follows
    longer = more & before << 4
    fourth = third & longer << 8
    four = fourth << 8 & follows
    beyond = third ^ fourth | four
    last = second ^ more | beyond
    return whole | last | (last | beyond >> 8 | four >> 16) >> 8, second | third | four


def marked(data: bytes, table: bytes, *, inner: bool = False) -> bytes:
    """As many bytes as `data` has: WHOLE where one belongs to a wanted character, else zero.

    With `inner`, twice WHOLE is added where a byte goes on with what the one before it began.
    """
    parts = []
    for at in range(0, len(data), STEP):
        begin = max(0, at - BORDER)
        piece = data[begin : at + STEP + BORDER]
        lanes, going_on = characters(piece, table)
        if inner:
            lanes |= going_on << 1
        parts.append(lanes.to_bytes(len(piece), "little")[at - begin : at - begin + STEP])
    return b"".join(parts)


# One letter for each character (t) and each invalid sequence of one, two or three bytes (i, j, k).


def bytes_of(letters: bytes) -> int:
    """How many bytes these invalid sequences have."""
    return len(letters) + letters.count(b"j") + 2 * letters.count(b"k")


_LETTERS = bytearray(b"c" * 256)
_LETTERS[0], _LETTERS[WHOLE], _LETTERS[2 * WHOLE] = b"itx"
_IS_INVALID = bytes(1 if n in (0, 2 * WHOLE) else 0 for n in range(256))
_EITHER = bytes(ord("i") if n in b"jk" else n for n in range(256))
_HUNDREDS, _TENS, _ONES = (bytes(48 + n // size % 10 for n in range(256)) for size in (100, 10, 1))
_LONG = 48
_TEXTS = [b"t" * n for n in range(_LONG + 1)]
_CUTS = [b"i" * n for n in range(_LONG + 1)]


def letters_of(data: bytes) -> tuple[bytes, bytes]:
    """A letter for each character and invalid sequence, and the invalid bytes."""
    kinds = marked(data, _UTF8, inner=True)
    letters = kinds.translate(_LETTERS).replace(b"c", b"").replace(b"ix", b"j").replace(b"jx", b"k")
    return letters, bytes(compress(data, kinds.translate(_IS_INVALID)))


def records_of(text_marker: str, cut_marker: str) -> "Records":
    """What `spell` puts for runs of each length."""
    texts = [f"{text_marker}{n}".encode() for n in range(_LONG)]
    return texts, [f"{cut_marker}{n}/{n}".encode() for n in range(_LONG)], f"{cut_marker}%d/%d".encode()


def spell(letters: bytes, records: "Records") -> bytes:
    """The records of these runs, none of which is _LONG."""
    if b"j" in letters or b"k" in letters:
        letters = _spell_longer(letters, records[2])
    for units, found in ((_TEXTS, records[0]), (_CUTS, records[1])):
        size = 1
        while units[size] in letters:
            size += 1
        # The longest first: then what is found is a whole run.
        while size := size - 1:
            letters = letters.replace(units[size], found[size])
    return letters


def _spell_longer(letters: bytes, record: bytes) -> bytes:
    """Spell the runs that have sequences of two bytes or three."""
    parts, done = [], 0
    either = letters.translate(_EITHER)
    longer = letters.replace(b"k", b"j")
    while (at := longer.find(b"j", done)) >= 0:
        begin = either.rfind(b"t", 0, at) + 1
        end = either.find(b"t", at)
        run = letters[begin : end if end >= 0 else None]
        parts += [letters[done:begin], record % (len(run), bytes_of(run))]
        done = begin + len(run)
    parts.append(letters[done:])
    return b"".join(parts)


class Dense:
    """Runs of text and of invalid sequences, read from the front one by one or many at once.

    `data` ends with a whole character or sequence.
    """

    __slots__ = ("_at", "_either", "_invalid", "_letters", "_numbers", "_spent", "_text", "_unit_cost")

    def __init__(self, data: bytes, text: str) -> None:
        self._text = text
        self._letters, self._invalid = letters_of(data)
        self._either = self._letters.translate(_EITHER)
        numbers = bytearray(b"," * (4 * len(self._invalid)))
        numbers[0::4], numbers[1::4], numbers[2::4] = map(self._invalid.translate, (_HUNDREDS, _TENS, _ONES))
        self._numbers = bytes(numbers)
        self._at = self._spent = 0  # characters and sequences read, invalid bytes among them
        self._unit_cost = 8.0

    @property
    def sound(self) -> bool:
        """Whether the two ways in which the data was looked at agree, as they must."""
        return len(self._text) == len(self._letters)

    @property
    def left(self) -> bool:
        """Whether there is more."""
        return self._at < len(self._letters)

    @property
    def starts_with_text(self) -> bool:
        """What the next run is."""
        return self._letters.startswith(b"t", self._at)

    def run(self) -> "Run":
        """The next run."""
        at = self._at
        end = self._either.find(b"i" if self.starts_with_text else b"t", at)
        self._at = end = end if end >= 0 else len(self._letters)
        if self._letters.startswith(b"t", at):
            return self._text[at:end], ()
        sequences = []
        for letter in self._letters[at:end]:
            size = letter - 0x68  # i is 1, j is 2, k is 3
            sequences.append(self._invalid[self._spent : self._spent + size])
            self._spent += size
        return "", tuple(sequences)

    def guess(self, room: int) -> int | None:
        """Where many whole runs end that are likely to fit into `room`; None where there are none.

        A long run and the last one are never among them.
        """
        at = self._at
        end = min(len(self._letters) - 1, at + int(room / self._unit_cost))
        for units in (_TEXTS, _CUTS):
            long = self._either.find(units[_LONG], at, end + _LONG)
            end = end if long < 0 else min(end, long)
        # Back to where the run begins that `end` lies in.
        other = b"t" if self._either.startswith(b"i", end) else b"i"
        begin = self._either.rfind(other, at, end) + 1
        return begin if begin > at else None

    def measure(self, end: int, records: "Records") -> "Measured":
        """The runs up to `end`."""
        letters = self._letters[self._at : end]
        texts = letters.count(b"t")
        count, invalid = len(letters) - texts, bytes_of(letters) - texts
        text = self._text[self._at : end]
        numbers = self._numbers[4 * self._spent : 4 * (self._spent + invalid)][:-1].decode()
        size = len(text.encode()) - 3 * count + invalid
        last = max(0, self._either.rfind(b"i" if letters.endswith(b"t") else b"t", self._at, end) + 1 - self._at)
        return spell(letters[:last], records).decode(), letters[last:], text, numbers, size, invalid

    def learn(self, end: int, cost: int) -> None:
        """What the runs up to `end` cost, to guess better."""
        self._unit_cost = cost / (end - self._at)

    def take(self, end: int, invalid: int) -> None:
        """They are read."""
        self._at = end
        self._spent += invalid
