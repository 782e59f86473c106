# SPDX-License-Identifier: Apache-2.0
"""What is recorded of what is typed, decided by the terminal's modes, the row and the echo; told the time."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ttyscribe_formats.packet import Input, Output, Packet, Window
from ttyscribe_recorder.secrets import HIDDEN, RAW, SHOWN, WAIT_NS, Guard, Mask

MS = 1_000_000
Step = tuple[str, object] | int


class Story:
    """What happened, told in order; `ms` is the time."""

    def __init__(self, prompts: str = "") -> None:
        self.guard = Guard(prompts)
        self.ms = 0
        self.items: list[Packet | Mask] = []
        self._given([*self.guard.take(Window(0, 80, 24), SHOWN, 0)])

    def _given(self, items: "list[tuple[Packet | Mask, int]]") -> None:
        self.items += [item for item, _wall in items]

    def out(self, *texts: bytes, after: int = 1) -> "Story":
        """The program writes."""
        for text in texts:
            self.wait(after)
            self._given(self.guard.take(Output(self.ms * MS, text), SHOWN, self.ms))
        return self

    def key(self, *texts: bytes, how: int = RAW, after: int = 1) -> "Story":
        """The user types."""
        for text in texts:
            self.wait(after)
            self._given(self.guard.take(Input(self.ms * MS, text), how, self.ms))
        return self

    def wait(self, ms: int) -> "Story":
        """Time passes; what is due is done when it is due."""
        end = self.ms + ms
        while (due := self.guard.due_ns) is not None and due <= end * MS:
            self._given(self.guard.tick(due))
        self.ms = end
        return self

    def end(self) -> "Story":
        """The session is over."""
        self._given(self.guard.settle())
        return self

    @property
    def typed(self) -> bytes:
        """The input that was recorded."""
        return b"".join(item.data for item in self.items if isinstance(item, Input))

    @property
    def shown(self) -> bytes:
        """The output that was recorded."""
        return b"".join(item.data for item in self.items if isinstance(item, Output))

    @property
    def masks(self) -> list[tuple[int, int]]:
        """Start and end of each mask in milliseconds."""
        return [(item.start_ns // MS, item.end_ns // MS) for item in self.items if isinstance(item, Mask)]


def test_without_echo_line_by_line_all_is_masked() -> None:
    """Whatever the row says, up to and with Enter; one mask a line, and the next key is recorded again."""
    story = Story().out(b"Code word? ").key(b"hun", b"ter", b"2\r", how=HIDDEN, after=100).out(b"\r\n")
    assert (story.typed, story.masks) == (b"", [(101, 301)])
    story.key(b"ls\r", how=SHOWN)
    assert (story.typed, story.masks) == (b"ls\r", [(101, 301)])


def test_keys_that_give_a_prompt_up_are_recorded() -> None:
    """They are no part of the secret, and say how it ended."""
    for key in (b"\x03", b"\x1c", b"\x1a"):
        story = Story().key(b"sec", how=HIDDEN).key(key, how=HIDDEN)
        assert (story.typed, story.masks) == (key, [(1, 1)])
        story = Story().out(b"Password: ").key(b"sec").wait(400).key(key)
        assert (story.typed, story.masks) == (key, [(2, 2)])
        story = Story().out(b"Password: ").key(b"sec" + key).wait(400)
        assert (story.typed, story.masks) == (key, [(2, 2)])


def test_what_is_echoed_by_the_terminal_is_recorded_at_once() -> None:
    """Even at a prompt: who sits behind can read it."""
    story = Story().out(b"Password: ").key(b"seen", how=SHOWN)
    assert (story.typed, story.guard.due_ns) == (b"seen", None)


def test_a_hidden_prompt_in_raw_mode() -> None:
    """Without echo within 300 ms it is masked, up to and with Enter, however long that takes."""
    story = Story().out(b"$ sudo id\r\n[sudo] password for al: ").key(b"hun")
    assert story.typed == b""
    assert story.guard.due_ns == 2 * MS + WAIT_NS
    story.wait(400).key(b"ter", b"2", after=900)
    assert story.masks == []
    story.key(b"\r").out(b"\r\nuid=0\r\n$ ").key(b"ls\r")
    assert (story.typed, story.masks) == (b"ls\r", [(2, 2203)])


@pytest.mark.parametrize("pieces", [[b"hunter2\r"], [b"hunter2", b"\r"], [b"h", b"u", b"nter2\r"]])
def test_a_secret_that_is_typed_at_once(pieces: list[bytes]) -> None:
    """The program answers before the 300 ms are over: all waits, in order."""
    story = Story().out(b"Password: ").key(*pieces).out(b"\r\n", b"Welcome\r\n$ ")
    assert (story.typed, story.shown) == (b"", b"Password: ")
    story.key(b"l", b"s\r", after=20)
    story.out(b"ls\r\n").wait(300)
    assert (story.typed, len(story.masks)) == (b"ls\r", 1)
    assert story.shown == b"Password: \r\nWelcome\r\n$ ls\r\n"


def test_a_question_that_echoes_is_recorded() -> None:
    """As soon as the first character is seen; the rest of the line without a wait."""
    story = Story().out(b"Reset password for user: ").key(b"a")
    assert story.typed == b""
    story.out(b"a")
    assert (story.typed, story.guard.due_ns) == (b"a", None)
    story.key(b"lice")
    assert (story.typed, story.guard.due_ns) == (b"alice", None)
    story.out(b"lice").key(b"\r").out(b"\r\nPassword: ").key(b"x").wait(300)
    assert (story.typed, story.masks) == (b"alice\r", [])
    assert story.key(b"\r").masks == [(8, 309)]


def test_an_answer_pasted_at_a_question_that_echoes() -> None:
    """In one piece with Enter, with the program's answer in the same piece as the echo."""
    story = Story().out(b"Password for user: ").key(b"alice\r").out(b"alice\r\nDone\r\n$ ")
    assert (story.typed, story.masks) == (b"alice\r", [])


@pytest.mark.parametrize("stars", [b"*", "•".encode(), "●".encode()])
def test_stars_are_no_echo(stars: bytes) -> None:
    """Not even where the secret begins with one."""
    for secret in (b"hunter2", b"**x", b"*"):
        story = Story().out(b"Password: ")
        for byte in secret:
            story.key(bytes([byte])).out(stars)
        story.wait(300).key(b"\r").out(b"\r\n$ ").key(b"ls\r")
        assert (story.typed, len(story.masks)) == (b"ls\r", 1)


def test_text_that_others_write_behind_the_prompt_is_no_echo() -> None:
    """A message of a background job, with the very character in it."""
    story = Story().out(b"Password: ").key(b"s").out(b"[1]+ Done  sleep").wait(300)
    assert story.typed == b""
    story = Story().out(b"Password: ").key(b"s").out(b"\r\nBroadcast message: so long\r\n").wait(300)
    story.key(b"ome").wait(300).key(b"\r").out(b"\r\n$ ").key(b"ls\r")
    assert story.typed == b"ls\r"


def test_a_prompt_for_a_number_of_characters() -> None:
    """`read -s -n 4`: no Enter ends it, the program goes on by itself; what is echoed afterwards is recorded."""
    for pieces in ([b"1", b"2", b"3", b"4"], [b"1234"]):
        for after in (1, 400):
            story = Story().out(b"PIN: ").key(*pieces, after=after).out(b"\r\n$ ", after=after)
            for letter in (b"l", b"s", b"\r"):
                story.key(letter, after=after).out(letter)
            story.end()
            assert (story.typed, len(story.masks)) == (b"ls\r", 1), (pieces, after)


def test_where_a_prompt_was_left_without_enter_only_an_echo_tells() -> None:
    """Until something is echoed, or Enter comes, or the screen is cleared (a full-screen program)."""
    left = Story().out(b"Password: ").key(b"hun").wait(400).out(b"\r\nmessage\r\n")
    assert left.key(b"ter2").wait(400).key(b"\r").out(b"$ ").key(b"q").typed == b"q"
    cleared = Story().out(b"PIN: ").key(b"1").wait(400).out(b"\r\n\x1b[?1049h\x1b[H~")
    assert cleared.key(b"jjj").typed == b"jjj"
    scrolled = Story().out(b"PIN: ").key(b"1").wait(400).out(b"text\r\n" * 50)
    assert scrolled.key(b"jjj").typed == b"jjj"


def test_tmux_paints_its_status_between_prompt_and_keys() -> None:
    """By cursor addressing, in any pieces; the prompt stays the prompt."""
    paint = b"\x1b[?25l\x1b[30m\x1b[42m\x1b[24;1H[0] 0:bash* s \x1b(B\x1b[m\x1b[?12l\x1b[?25h\x1b[3;11H"
    for cut in range(len(paint)):
        story = Story().out(b"\x1b[H\x1b[2J\x1b[3;1HPassword: ", paint, after=400).key(b"s")
        story.out(paint[:cut]).key(b"e").out(paint[cut:]).wait(400).out(paint[:cut]).key(b"cret")
        story.out(paint[cut:]).key(b"\r").out(b"\x1b[4;1H$ ").key(b"l")
        story.out(b"l").key(b"s").wait(400).end()
        assert (story.typed, len(story.masks)) == (b"ls", 1), cut


def test_a_prompt_that_was_answered_is_not_remembered() -> None:
    """Neither after Enter nor after Ctrl-C, where a status line was painted just before."""
    paint = b"\x1b[?25l\x1b[24;1Hstatus\x1b[?25h\x1b[3;11H"
    for key in (b"\r", b"\x03"):
        story = Story().out(b"\x1b[H\x1b[2J\x1b[3;1HPassword: ").key(b"secret").wait(400).out(paint).key(key)
        story.out(b"\r\n$ ").key(b"l", b"s").wait(400).end()
        assert story.typed == key[key == b"\r" :] + b"ls"


def test_another_pane_is_not_the_prompts() -> None:
    """Who leaves the prompt for another pane types in the clear there, and hidden again when back."""
    story = Story().out(b"\x1b[H\x1b[2JPassword: \x1b[12;1H$ \x1b[1;11H").key(b"sec").wait(400)
    story.out(b"\x1b[12;3H").wait(400).key(b"ls\r").out(b"ls\r\n").wait(400)
    story.out(b"\x1b[1;11H").key(b"ret").wait(400).key(b"\r").end()
    assert (story.typed, len(story.masks)) == (b"ls\r", 2)


def test_keys_that_are_no_characters_are_recorded_at_a_prompt() -> None:
    """Cursor keys, a terminal's answers, a paste's begin; and Enter alone: nothing of them is secret."""
    for key in (b"\x1b[A", b"\x1bOA", b"\x1b[?1;2c", b"\x1b]11;rgb:0/0/0\x1b\\", b"\t", b"\x7f", b"\r", b"\x1b[200~"):
        story = Story().out(b"Password: ").key(*(bytes([byte]) for byte in key))
        assert (story.typed, story.guard.due_ns) == (key, None)
    story = Story().out(b"Password: ").key(b"\x1b[200~secret\x1b[201~").wait(300).key(b"\r")
    assert (story.typed, len(story.masks)) == (b"\x1b[200~", 1)


def test_corrected_typing_is_compared_as_corrected() -> None:
    """Backspace and Ctrl-U."""
    story = Story().out(b"Password for user: ").key(b"xy\x7f\x7f" + "é".encode() + b"\x7fab").out(b"ab")
    assert (story.typed, story.masks) == (b"xy\x7f\x7f\xc3\xa9\x7fab", [])


def test_a_shell_an_editor_and_a_pager_are_not_masked() -> None:
    """Unechoed keys where no row asks: completion, history, commands of vim and less."""
    story = Story().out(b"al@host:~$ ").key(b"l", b"s", b"\t", b"\x1b[A", b"\x12").wait(400)
    assert story.typed == b"ls\t\x1b[A\x12"
    story = Story().out(b"\x1b[?1049h\x1b[H\x1b[2Juser: al\r\npassword: hunter2\x1b[2;11H").key(b"j", b"dd").wait(400)
    assert story.typed == b"jdd"
    story = Story().out(b"\x1b[24;1H\x1b[7mpasswd (END)\x1b[m").key(b"k", b"q").wait(400)
    assert story.typed == b"kq"


def test_a_row_that_the_user_wrote_is_no_prompt() -> None:
    """A command that reads like one, even where the echo lags behind; the prompt that it then prints is one."""
    story = Story().out(b"$ ").key(b"echo pass").out(b"echo pass").key(b"word:").out(b"word:").key(b" ", b"x").wait(400)
    assert story.typed == b"echo password: x"
    story.out(b" x").key(b"\r").out(b"\r\npassword: ").key(b"secret").wait(400).key(b"\r")
    assert (story.typed, len(story.masks)) == (b"echo password: x\r", 1)


def test_lines_pasted_before_the_prompt_that_takes_one_of_them() -> None:
    """All behind the first Enter waits for what comes: a prompt masks it, 300 ms without one do not."""
    story = Story().out(b"$ ").key(b"sudo id\rhunter2\rls\r").out(b"sudo id\r\n", b"[sudo] password for al: ").wait(400)
    assert (story.typed, len(story.end().masks)) == (b"sudo id\r", 1)
    story = Story().out(b"$ ").key(b"one\rtwo\r").out(b"one\r\ntwo\r\n$ ").wait(400)
    assert (story.typed, story.masks) == (b"one\rtwo\r", [])
    story = Story().out(b"~").key(b"\x1b[200~user: al\rpassword: x\r\x1b[201~").out(b"user: al\r\npassword: ")
    assert story.typed.endswith(b"\x1b[201~")


def test_undecided_at_the_end_is_masked() -> None:
    """A session that ends within the 300 ms, or in the middle of a run."""
    story = Story().out(b"Password: ").key(b"secret").out(b"x").end()
    assert (story.typed, story.shown, story.masks) == (b"", b"Password: x", [(2, 2)])
    assert Story().key(b"secret", how=HIDDEN).end().masks == [(1, 1)]


def test_a_flood_does_not_wait() -> None:
    """More than a mebibyte in the queue: decided at once, for secrecy."""
    story = Story().out(b"Password: ").key(b"secret").out(*[b"x" * 65536] * 20, after=0)
    assert len(story.shown) == 10 + 20 * 65536
    assert story.typed == b""


def test_an_operators_prompts() -> None:
    """Count as the known ones do."""
    assert Story("Losung").out(b"Losung: ").key(b"secret").wait(400).key(b"\r").typed == b""
    assert Story().out(b"Losung: ").key(b"public").wait(400).typed == b"public"


def test_what_is_left_when_it_fails_is_everything_but_input() -> None:
    """Nothing that was shown is lost with the guard."""
    story = Story().out(b"Password: ").key(b"secret").out(b"a")
    items = [item for item, _wall in story.guard.abandon((Output(0, b"b"), 0))]
    assert [item.data for item in items if isinstance(item, Output)] == [b"a", b"b"]
    assert len(items) == 2


WORDS = [
    b"Password: ", b"$ ", b"\r\n", b"s", b"*", b"\x1b[3;1H", b"\x1b[?25l", b"\x1b[H\x1b[2J", b"PIN: ", b"x\r\n",
    b"\x1b[?1049h", b"PIN", b": ",
]  # fmt: skip
KEYS = [b"s", b"secret", b"\r", b"\x03", b"\x1b[A", b"ls\r", b"a\rb\rc", b"\x7f", b"*", b"\x1b[200~"]
EVENTS = st.lists(
    st.one_of(
        st.tuples(st.just("out"), st.sampled_from(WORDS), st.integers(0, 400)),
        st.tuples(st.sampled_from(["raw", "raw", "hidden", "shown"]), st.sampled_from(KEYS), st.integers(0, 400)),
    ),
    max_size=30,
)
HOW = {"raw": RAW, "hidden": HIDDEN, "shown": SHOWN}


@given(EVENTS, st.booleans())
def test_order_and_bytes_are_kept_and_nothing_is_late(events: list[tuple[str, bytes, int]], apart: bool) -> None:
    """All output, in order and within 300 ms; of the input an ordered part, the rest inside masks; byte by byte too."""
    story, written, typed = Story(), b"", list[tuple[int, int]]()
    for sort, data, after in events:
        for number in range(len(data)) if apart else [-1]:
            piece = data if number < 0 else data[number : number + 1]
            pause = after if number <= 0 else 0
            if sort == "out":
                story.out(piece, after=pause)
                written += piece
            else:
                story.key(piece, how=HOW[sort], after=pause)
                typed += [(story.ms, byte) for byte in piece]
            due = story.guard.due_ns
            assert due is None or story.ms * MS < due <= story.ms * MS + WAIT_NS
            if due is None:
                assert story.shown == written
    story.wait(300)
    assert story.shown == written
    story.end()
    times = [item.time_ns for item in story.items if not isinstance(item, Mask)]
    assert times == sorted(times)
    recorded = [(item.time_ns // MS, byte) for item in story.items if isinstance(item, Input) for byte in item.data]
    left_out = subtract(typed, recorded)
    for ms, _byte in left_out:
        assert any(start <= ms <= end for start, end in story.masks)
    assert bool(left_out) == bool(story.masks)


def subtract(whole: list[tuple[int, int]], part: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """What is left of a sequence without a subsequence of it."""
    rest = list(part)
    left = []
    for item in whole:
        if rest and rest[0] == item:
            rest.pop(0)
        else:
            left.append(item)
    assert not rest, "something was recorded that was not typed, or in another order"
    return left


@given(EVENTS)
def test_pieces_change_no_decision(events: list[tuple[str, bytes, int]]) -> None:
    """Read at once or byte by byte, the same bytes are recorded."""
    stories = Story(), Story()
    for sort, data, after in events:
        for story, pieces in zip(stories, ([data], [bytes([byte]) for byte in data]), strict=True):
            for number, piece in enumerate(pieces):
                pause = 0 if number else after
                if sort == "out":
                    story.out(piece, after=pause)
                else:
                    story.key(piece, how=HOW[sort], after=pause)
    whole, apart = (story.end() for story in stories)
    assert whole.typed == apart.typed
