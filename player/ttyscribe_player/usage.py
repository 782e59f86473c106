# SPDX-License-Identifier: Apache-2.0
"""What --help, the man page and the help screen say."""

from ttyscribe_player.names import Name

DESCRIPTION = """Plays a recording from a file of tlog messages, from a store, from the journal, or from an index in
Elasticsearch or OpenSearch that holds tlog's messages.

On a terminal it plays as it was recorded, through an emulator: what was recorded moves text and colours there, and
can't reach the terminal itself (its clipboard, its title, its answers). Where the emulator is not installed (extra
`screen`), a filter lets only text, colours, cursor movement and erasing pass, and the player says so; --raw plays the
exact bytes.
What does not fit on the terminal is cut, and the part with the cursor is shown.

Where several messages claim one place and none is certain, none is played and the mark names the processes that sent
them; --sender plays what one process sent, and marks all else. The recorder is one process: its pid is that of the
most trusted messages, or is known from the host's log. Stores and the journal know the senders, files do not.

Into a file or a pipe it writes all bytes that the recorded programs wrote, at once and unchanged, and nothing else;
speed, pause and place change nothing there. What is missing, damaged or in doubt is said: on a terminal at its place,
else on standard error. Bytes that were written to standard error go to standard output with the rest, in order."""

KEYS = (
    ("space, p", "pause, go on"),
    ("}  {", "twice as fast, half as fast (1/16 to 16 times)"),
    ("backspace", "as fast as it was recorded"),
    (".  ,", "the next packet now; back before the last one"),
    ("right, left", "5 seconds on, back; up, down: a minute"),
    ("TIME G", "go to [[H:]M:]SS; G or End alone: to the end"),
    ("N %", "go to this part of the whole"),
    ("r, Home", "from the beginning"),
    ("i", "cut pauses to 2 seconds, or play them as they were"),
    ("/ TEXT Enter", "find when a text comes onto the screen; n: the next time, N: the time before"),
    ("?", "show these keys; any key goes back"),
    ("q", "quit"),
)
"""How a key is written, and what it does."""

_MORE = """examples:
  {program} session.log
  {program} --speed 4 --goto 1:30 session.log
  {program} --goto 50% --idle-limit 1 session.log
  {program} --store sqlite:/var/lib/ttyscribe 1f0c-1011-13dda@0:42.000
  {program} --list session.log
  {program} --follow --goto end session.log
  {program} -r journal -M TLOG_REC=1f0c-1011-13dda
  {program} -r es --es-baseurl https://es:9200/tlog/_search --es-query 'rec:"1f0c-1011-13dda"'
  {program} session.log > output

files:
  {configuration}
    JSON, in which C and C++ comments may stand; absent, the defaults hold. Options win.
    Keys: {keys}
  ~/.netrc ($NETRC)
    who asks an engine that wants to know: lines of machine, login and password

environment:
  TTYSCRIBE_STORE     the store to play from, if no other is named
  TLOG_CURL_USERPWD   USER:PASSWORD for the engine of --reader=es
  TTYSCRIBE_ES_*      the same in parts, each secret also as a file (..._FILE): USER, PASSWORD, API_KEY, TOKEN;
                      CA, CLIENT_CERT and CLIENT_KEY are files, TIMEOUT is in seconds
  http_proxy, https_proxy, no_proxy   the way to the engine

exit status: 0 played; 1 something is missing, damaged or can't be reached; {usage_status} wrong usage, file or \
configuration; 128 + n where signal n ended it"""


def epilog(name: Name, keys: list[str]) -> str:
    """What stands behind the options; `keys` are those of the configuration file."""
    listed, line = [], ""
    for key in keys:
        if len(line) + len(key) > 90:
            listed.append(line)
            line = ""
        line += f"{key}, "
    listed.append(line.removesuffix(", "))
    values = {"program": name.program, "configuration": name.configuration, "usage_status": name.usage_status}
    shown = "\n".join(f"  {key:13s} {text}" for key, text in KEYS)
    return f"keys:\n{shown}\n\n" + _MORE.format(**values, keys="\n    ".join(line.rstrip() for line in listed))
