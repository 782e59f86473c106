# SPDX-License-Identifier: Apache-2.0
"""docs/howto/add-a-normalizer.md, carried out: its files, its commands, and what they print are taken from the page.

The package is built and installed outside the tree, in an environment of its own, without a network.
"""

import json
import os
import re
import shutil
import site
import subprocess
import sys
import sysconfig
import tomllib
import venv
from pathlib import Path
from typing import Any, NamedTuple

import jsonschema
import pytest

from tools.generators import fields, schema, templates
from ttyscribe_normalizers import golden, kinds

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs/howto/add-a-normalizer.md"
_BLOCK = re.compile(
    r"(?:^`([^`\n]+)`:\n\n|^(In `fields/kinds\.toml`:)\n\n)?^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL
)
SCRIPTS = {"ttyscribe-normalize": "ttyscribe_normalizers.entry", "ttyscribe": "ttyscribe.main"}


class Block(NamedTuple):
    """One block of the page."""

    path: str
    """The file that it is; empty for what is run, and for what is printed."""
    language: str
    text: str


def blocks() -> list[Block]:
    return [Block(one[1] or one[2] or "", one[3], one[4]) for one in _BLOCK.finditer(PAGE.read_text())]


def file_of(name: str) -> str:
    return next(one.text for one in blocks() if one.path == name)


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """A fresh virtual environment that has what this one has, and takes packages of its own."""
    folder = tmp_path / "venv"
    venv.create(folder, with_pip=False, symlinks=True)
    purelib = Path(sysconfig.get_path("purelib", "venv", {"base": str(folder)}))
    there = [path for path in (*site.getsitepackages(), *sys.path) if path.endswith("site-packages")]
    # By addsitedir, as this environment's own packages may be links out of it.
    (purelib / "beside.pth").write_text(f"import site; any(map(site.addsitedir, {there!r}))\n")
    for name, module in SCRIPTS.items():
        script = folder / "bin" / name
        script.write_text(f"#!{folder}/bin/python\nimport sys\nfrom {module} import main\nsys.exit(main())\n")
        script.chmod(0o755)
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "PIP_", "VIRTUAL_ENV"))}
    offline = {"PIP_NO_INDEX": "1", "PIP_NO_BUILD_ISOLATION": "0", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    return kept | offline | {"PATH": f"{folder}/bin:{os.environ['PATH']}"}


def shell(command: str, folder: Path, environment: dict[str, str], status: int = 0) -> str:
    done = subprocess.run(
        ["sh", "-euc", command], cwd=folder, env=environment, capture_output=True, text=True, timeout=100
    )
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout + done.stderr


def squeezed(text: str) -> str:
    return re.sub(r" +", " ", text)


def test_the_page_builds_a_kind_that_takes_its_lines(tmp_path: Path, environment: dict[str, str]) -> None:
    folder = tmp_path / "package"
    printed = ""
    for block in blocks():
        if block.path.startswith(("fields/", "In ")):
            continue
        if block.path:
            (folder / block.path).parent.mkdir(parents=True, exist_ok=True)
            (folder / block.path).write_text(block.text)
        elif block.language == "sh":
            printed = squeezed(shell(block.text, folder, environment))
        elif block.language == "text":
            at = 0
            for line in block.text.splitlines():
                at = printed.find(squeezed(line).strip(), at)
                assert at >= 0, f"{line!r} is not printed, or not in its place, in:\n{printed}"
    kept = json.loads((folder / "cases/ban.out.json").read_text())["documents"]
    assert [one["ttyscribe"]["kind"] for one in kept] == ["fail2ban", "syslog"]
    assert kept[0]["fail2ban"] == {"jail": "sshd", "action": "ban", "address": "192.0.2.7"}
    assert kept[1]["ttyscribe"]["error"] == "no ban that is understood"
    options = "ttyscribe-normalize --protocol ndjson"
    assert '"kind":"syslog"' in shell(f"{options} --without-kind fail2ban < ban.ndjson", folder, environment)
    case = folder / "cases/ban.out.json"
    case.write_text(case.read_text().replace("192.0.2.7", "192.0.2.8"))
    assert '+ "address": "192.0.2.7"' in squeezed(
        shell("ttyscribe-normalize --write-golden cases", folder, environment, 1)
    )
    shell("python -m pip uninstall --yes ttyscribe-fail2ban", folder, environment)
    assert "fail2ban" not in shell("ttyscribe-normalize --list-kinds", folder, environment)
    assert "no other package has a kind 'fail2ban'" in shell(
        f"{options} --prefer-kind fail2ban", folder, environment, 2
    )


def test_a_package_that_is_broken_is_told_and_the_others_work(tmp_path: Path, environment: dict[str, str]) -> None:
    folder = tmp_path / "package"
    folder.mkdir()
    (folder / "pyproject.toml").write_text(file_of("pyproject.toml"))
    (folder / "ttyscribe_fail2ban.py").write_text("import no_such_module\n")
    shell("python -m pip install .", folder, environment)
    said = shell('echo \'{"message":"x"}\' | ttyscribe-normalize --protocol ndjson', folder, environment)
    assert "the kind fail2ban of ttyscribe-fail2ban 1.0 is left out: ModuleNotFoundError" in said
    assert "1 line: 1 stored" in said


def test_the_same_file_is_a_kind_inside_the_tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "kinds").mkdir()
    (tmp_path / "kinds/fail2ban.py").write_text(file_of("ttyscribe_fail2ban.py"))
    monkeypatch.setattr(kinds, "__path__", [*kinds.__path__, str(tmp_path / "kinds")])
    try:
        assert "fail2ban" in [kind.name for kind in kinds.load(golden.context("ndjson"))]
        made = golden.made(json.loads(file_of("cases/ban.in.json")), kinds.load)
    finally:
        sys.modules.pop(f"{kinds.__name__}.fail2ban", None)
        vars(kinds).pop("fail2ban", None)
    document: Any = made["documents"][0]
    assert document["ttyscribe"]["kind"] == "fail2ban"
    shutil.copytree(ROOT / "fields", tmp_path / "fields")
    (tmp_path / "fields/fail2ban.toml").write_text(file_of("fields/fail2ban.toml"))
    with (tmp_path / "fields/kinds.toml").open("a") as file:
        file.write(file_of("In `fields/kinds.toml`:"))
    model = fields.load(tmp_path)
    jsonschema.validate(document, schema.schema(model.kinds["fail2ban"]))
    assert any("fail2ban" in name for name in templates.files(tmp_path))


def test_the_page_names_the_group_and_the_options_that_there_are() -> None:
    from ttyscribe_normalizers import plugins, table

    found = tomllib.loads(file_of("pyproject.toml"))
    assert list(found["project"]["entry-points"]) == [plugins.GROUP]
    flags = {option.flag for option in table.OPTIONS}
    assert set(re.findall(r"ttyscribe-normalize (--[a-z-]+)", PAGE.read_text())) <= flags
