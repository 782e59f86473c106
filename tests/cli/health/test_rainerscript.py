# SPDX-License-Identifier: Apache-2.0
"""Reading rsyslog's configuration."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ttyscribe.health.findings import Place, Unreadable
from ttyscribe.health.rainerscript import Assignment, Directive, Object, parse

EXAMPLE = r"""# a comment with "quotes and ( braces {
$MaxMessageSize 64k
global(workDirectory="/var/spool/rsyslog" maxMessageSize="256k") /* and ( more */
module(load="imuxsock" SysSock.Use="off")
template(name="one" type="list") {
    constant(value="{\"id\":\"")
    property(name="$!id" format="json")
}
ruleset(name="in" queue.type="Direct" parser=["rsyslog.rfc5424", "rsyslog.rfc3164"]) {
    set $!id = $uuid;
    if $programname == 'it''s' and
       $msg contains "}" then {
        unset $!uid;
        action(type="omprog" binary="/usr/bin/x" # behind
               template="one")
    }
    stop
}
*.*;auth,authpriv.none  -/var/log/syslog
:msg, contains, "error)" /var/log/errors
& stop
$IncludeConfig /etc/rsyslog.d/*.conf
"""


def test_a_whole_file() -> None:
    items = parse("/f", EXAMPLE)
    assert items[0] == Directive("maxmessagesize", "64k", Place("/f", 2))
    objects = [item for item in items if isinstance(item, Object)]
    assert [found.name for found in objects] == [
        *("global", "module", "template", "constant", "property", "ruleset", "action")
    ]
    assert objects[0].get("MAXMESSAGESIZE") == "256k"
    assert not objects[1].on("syssock.use", default=True)
    assert objects[3].get("value") == '{"id":"'
    assert objects[3].scope == objects[4].scope == "template one"
    assert objects[5].get("parser") == "rsyslog.rfc5424 rsyslog.rfc3164"
    assert objects[6].scope == "ruleset in"
    assert objects[6].place == Place("/f", 14)
    assert objects[6].get("template") == "one"
    sets = [item for item in items if isinstance(item, Assignment)]
    assert [(item.verb, item.scope) for item in sets] == [("set", "ruleset in"), ("unset", "ruleset in")]
    assert sets[0].text == "$ ! id = $ uuid"


def test_what_is_included_stands_where_it_is_named() -> None:
    files = {"/a": 'module(load="1")\ninclude(file="/b")\nmodule(load="3")', "/b": 'module(load="2")'}

    def include(pattern: str, place: Place) -> list[tuple[str, str]]:
        assert place.path in files
        return [(pattern, files[pattern])]

    items = parse("/a", files["/a"], include)
    assert [item.get("load") for item in items if isinstance(item, Object)] == ["1", "2", "3"]
    assert [item.place.path for item in items] == ["/a", "/b", "/a"]
    with pytest.raises(Unreadable, match="without end"):
        parse("/a", "$IncludeConfig /a\n", lambda pattern, place: [(pattern, "$IncludeConfig /a\n")])


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        ("\n\naction(type=", 3, "never closed"),
        ('x\nmodule(load="a" {', 2, "never closed"),
        ("module(load)", 1, "no value"),
        ('ruleset(name="a") {\n\n', 3, "{ is never closed"),
        ("}\n", 1, "closes nothing"),
        ("if 1 then {\nset $!a = 1\n}", 2, "semicolon"),
        ('input(type=["a"', 1, "never closed"),
    ],
)
def test_what_is_broken_is_told_with_its_line(text: str, line: int, what: str) -> None:
    with pytest.raises(Unreadable, match=what) as caught:
        parse("/f", text)
    assert caught.value.place == Place("/f", line)


@given(st.text(alphabet="(){}[]=\"'\\;,#$/* \n\taionclud", max_size=200) | st.text(max_size=200))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        items = parse("/f", text)
    except Unreadable as error:
        assert error.place.line >= 1  # noqa: PT017 - it is what is looked at
    else:
        assert all(1 <= item.place.line <= text.count("\n") + 1 for item in items)
