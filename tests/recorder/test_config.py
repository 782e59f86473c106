# SPDX-License-Identifier: Apache-2.0
"""Configuration from files and environment: merging, errors, whom it trusts."""

import json
import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.formats.test_jsonc import VALUES
from tests.recorder.recorder import recorded, run
from ttyscribe_formats.errors import ConfigError
from ttyscribe_recorder import options
from ttyscribe_recorder.config import load, merge, to_json
from ttyscribe_recorder.names import REC, SESSION, TLOG_REC, TLOG_SESSION, Name

ALL = {
    "latency": 3, "payload": 64, "writer": "syslog", "on_error": "continue", "runtime_folder": "/r",
    "utmp": True,
    "log": {"input": True, "secrets": True, "prompts": "a,b", "output": False, "window": False, "bulk": "keep"},
    "file": {"path": "/f"},
    "limit": {"rate": 1, "burst": 2, "action": "drop"},
    "syslog": {"facility": "local1", "priority": "debug", "socket": "/s"},
    "journal": {"priority": "err", "augment": False, "socket": "/j"},
}  # fmt: skip


def at(name: Name, path: Path) -> Name:
    """The name with its configuration file here."""
    return name._replace(configuration=str(path))  # type: ignore[no-any-return, attr-defined, unused-ignore]


def merged(text: str, name: Name = REC) -> "dict[str, options.Value]":
    """What the text alone says."""
    values: dict[str, options.Value] = {}
    merge(name, values, text.encode(), "file")
    return values


def test_every_key() -> None:
    """Of the recorder; the login shell has three more."""
    flat: dict[str, object] = {}
    for key, value in ALL.items():
        flat |= {f"{key}.{inner}": v for inner, v in value.items()} if isinstance(value, dict) else {key: value}
    assert merged(json.dumps(ALL)) == flat
    assert set(flat) == {option.key for option in options.keys(REC)}
    more = {"shell": "/bin/zsh", "notice": "", "trust_environment": True}
    assert merged(json.dumps({**ALL, **more}), SESSION) == {**flat, **more}


def test_each_source_wins_over_the_one_before(tmp_path: Path) -> None:
    """Objects are merged, values replaced, null changes nothing; the command line is last."""
    first, second = tmp_path / "first", tmp_path / "second"
    first.write_text('{"latency": 2, "payload": 100, "log": {"input": true, "window": false}} // end')
    second.write_text('{"payload": 200, "log": {"window": null, "output": false}, "limit": null}')
    environment = {
        b"TTYSCRIBE_REC_CONF_FILE": os.fsencode(second),
        b"TTYSCRIBE_REC_CONF_TEXT": b'{"payload": 300}',
        b"TLOG_REC_CONF_TEXT": b'{"payload": 400}',
    }
    values = load(at(REC, first), environment, trusted=True)
    assert (values["latency"], values["payload"]) == (2, 300)
    assert [values[f"log.{what}"] for what in ("input", "output", "window")] == [True, False, False]
    assert load(at(TLOG_REC, first), environment, trusted=True)["payload"] == 400
    done = run(["--payload=500", "--configuration"], env={**os.environ, "TTYSCRIBE_REC_CONF_FILE": str(second)})
    assert json.loads(done.stdout)["payload"] == 500


def test_no_file_is_needed(tmp_path: Path) -> None:
    """Defaults are built in; tlog refuses to run."""
    assert load(at(REC, tmp_path / "none"), {}, trusted=True) == options.defaults(REC)
    assert load(at(TLOG_REC, tmp_path / "none"), {}, trusted=True) == options.defaults(TLOG_REC)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ('{\n"latncy": 1}', "file:2: unknown key 'latncy'"),
        ('{"log":\n{"inputs": true}}', "file:2: unknown key 'log.inputs'"),
        ('{"log.input": true}', "file:1: unknown key 'log.input'"),
        ('{"shell": "/bin/sh"}', "file:1: unknown key 'shell'"),
        ('{"semaphore": "/x"}', "file:1: unknown key 'semaphore'"),
        ('{"help": true}', "file:1: unknown key 'help'"),
        ('{"log": true}', "file:1: log: needs to be an object: { … }"),
        ('{"latency": {}}', "file:1: latency: needs a whole number, not an object"),
        ('{"latency": 1.5}', "file:1: latency: needs a whole number, not 1.5"),
        ('{"latency": "1"}', "file:1: latency: needs a whole number, not '1'"),
        ('{"latency": true}', "file:1: latency: needs a whole number, not true"),
        ('{"latency": 0}', "file:1: latency: 0 is below the minimum of 1"),
        ('{"limit": {"rate": -1}}', "file:1: limit.rate: -1 is below the minimum of 0"),
        ('{"log": {"input": 1}}', "file:1: log.input: needs true or false, not 1"),
        ('{"log": {"input": "yes"}}', "file:1: log.input: needs true or false, not 'yes'"),
        ('{"file": {"path": ["a"]}}', "file:1: file.path: needs a text, not a list"),
        ('{"writer":\n\n"disk"}', "file:1: writer: 'disk' is none of journal, syslog, file"),
        ("[]", "file:1: needs to be an object: { … }"),
        ("{", "file:1: a key in quotes or } is missing here"),
    ],
)
def test_errors_name_file_line_and_key(text: str, complaint: str) -> None:
    """In one line; tlog names neither line nor, often, the file."""
    with pytest.raises(ConfigError) as caught:
        merged(text)
    assert str(caught.value) == complaint


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(st.sampled_from([*ALL, "x"]), VALUES | st.sampled_from(list(ALL.values())), max_size=4))
def test_any_object_is_taken_or_one_clean_error(value: object) -> None:
    """And what is taken has the right types."""
    try:
        values = merged(json.dumps(value))
    except ConfigError as error:
        where = error.path, error.line
        assert where == ("file", 1)
        return
    for option in options.keys(REC):
        if option.key in values:
            assert type(values[option.key]).__name__ == option.kind


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    """One line each; a FIFO does not hang the login, nor a huge file fill the memory."""
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "binary").write_bytes(b"{}\n\xff")
    with (tmp_path / "huge").open("wb") as file:
        file.truncate(1 << 30)
    for path, complaint in (
        (tmp_path, f"{tmp_path}: can't be read: Is a directory"),
        (tmp_path / "fifo", f"{tmp_path}/fifo:1: ends too early"),
        (tmp_path / "binary", f"{tmp_path}/binary:2: is not UTF-8"),
        (tmp_path / "huge", f"{tmp_path}/huge: is larger than 1 MiB"),
    ):
        with pytest.raises(ConfigError) as caught:
            load(at(REC, path), {}, trusted=True)
        assert str(caught.value) == complaint
    with pytest.raises(ConfigError, match=r"none: can't be read: No such file"):
        load(at(REC, tmp_path / "none"), {b"TTYSCRIBE_REC_CONF_FILE": os.fsencode(tmp_path / "none")}, trusted=True)


@pytest.mark.root
def test_the_environment_counts_only_with_leave_of_a_file_of_root(tmp_path: Path) -> None:
    """Which nobody else may write; the environment can't give leave itself."""
    from tests import peers

    peers.require_root()
    file, evil = tmp_path / "file", tmp_path / "evil"
    evil.write_text('{"writer": "file", "trust_environment": true}')
    environment = {
        b"TTYSCRIBE_REC_SESSION_CONF_FILE": os.fsencode(evil),
        b"TTYSCRIBE_REC_SESSION_CONF_TEXT": b'{"trust_environment": true, "file": {"path": "/dev/null"}}',
    }
    name = at(SESSION, file)
    assert load(name, environment, trusted=False)["writer"] == "journal"  # no file at all
    for owner, mode, text, counts in (
        (0, 0o644, '{"trust_environment": true}', True),
        (0, 0o644, "{}", False),
        (0, 0o646, '{"trust_environment": true}', False),
        (0, 0o664, '{"trust_environment": true}', False),
        (65534, 0o644, '{"trust_environment": true}', False),
    ):
        file.write_text(text)
        file.chmod(mode)
        os.chown(file, owner, 0)
        values = load(name, environment, trusted=False)
        assert (values["writer"] == "file", values["trust_environment"]) == (counts, counts)
    assert load(at(TLOG_SESSION, tmp_path / "none"), environment, trusted=True)["writer"] == "journal"


@pytest.mark.parametrize("name", [REC, SESSION, TLOG_REC, TLOG_SESSION])
def test_the_printed_configuration_can_be_read_again(name: Name) -> None:
    """All keys, and the command as `args`, as tlog prints them."""
    values = options.defaults(name)
    values["file.path"] = 'a/"b\\'
    found = json.loads(to_json(name, values, ["ls", "-l", "ż"]))
    assert found.pop("args") == ["ls", "-l", "ż"]
    assert merged(json.dumps(found), name) == {option.key: values[option.key] for option in options.keys(name)}


def test_a_recording_by_configuration_alone(tmp_path: Path) -> None:
    """Of the environment, for a person."""
    text = json.dumps({"file": {"path": str(tmp_path / "log")}})
    run(["echo", "hi"], env={**os.environ, "TTYSCRIBE_REC_CONF_TEXT": text})
    assert recorded(tmp_path / "log") == b"hi\n"


def test_a_broken_configuration(tmp_path: Path) -> None:
    """Nothing is recorded or run, except that help and version stay at hand."""
    env = {**os.environ, "TTYSCRIBE_REC_CONF_TEXT": "{\n\n'latency': 'x'}"}
    done = run(["-o", str(tmp_path / "log"), "echo", "ran"], env=env)
    assert (done.returncode, done.stdout) == (2, b"")
    complaint = b"ttyscribe-rec: $TTYSCRIBE_REC_CONF_TEXT:3: latency: needs a whole number, not 'x'; see"
    assert done.stderr == complaint + b" ttyscribe-rec --help\n"
    assert run(["--help"], env=env).returncode == 0
