# SPDX-License-Identifier: Apache-2.0
"""Headers of RFC 5424 and objects behind the cookie, from the real logger through a real rsyslogd into the store; with
the template's keys as docs/contracts/envelope.md prints them."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.chain import Chain
from tests.e2e.conftest import SQLITE, Place, stored_document
from tests.peers import require_program

pytestmark = pytest.mark.rsyslogd

PAGE = Path(__file__).resolve().parents[2] / "docs/contracts/envelope.md"
MESSAGE = '    constant(value="\\",\\"msg\\":\\"")'
PARSER = 'parser=["rsyslog.rfc3164"]'


def keys() -> str:
    """The keys of a header, out of the page."""
    found = re.search(r"# RFC 5424, with (parser=\S+ \S+):[^\n]*\n(.*?)\n\n", PAGE.read_text(), re.DOTALL)
    assert found is not None
    return found[2]


def test_a_header_and_an_object_come_into_the_store_whole(tmp_path: Path) -> None:
    """ENV-6, KEEP-7, KEEP-8."""
    url = f"sqlite:{tmp_path / 'store'}"
    parsers = PARSER.replace("[", '["rsyslog.rfc5424", ')
    logger = require_program("logger")

    def log(chain: Chain, *arguments: str) -> None:
        subprocess.run([logger, "-u", str(chain.daemon.socket), "--rfc5424", "-t", "shop", *arguments], check=True)

    with Chain(url, tmp_path, replace={PARSER: parsers, MESSAGE: f"{keys()}\n{MESSAGE}"}) as chain:

        def document(term: str) -> Any:
            found = chain.wait_found(term)
            return stored_document(Place(SQLITE, url, None, ""), found.document_id)

        log(
            chain,
            "--msgid",
            "ID47",
            "--sd-id",
            "ex@32473",
            "--sd-param",
            'a="b\\"c\\]"',
            "--sd-param",
            'a="d"',
            "header",
        )
        made = document("header")
        assert (made["message"], made["ttyscribe"]["kind"]) == ("header", "syslog")
        assert (made["rsyslog"]["msgid"], made["rsyslog"]["appname"]) == ("ID47", "shop")
        assert made["rsyslog"]["elements"]["ex@32473"] == {"a": ['b"c]', "d"]}

        log(chain, '@cee: {"msg":"order","n":123456789012345678901234567890,"f":1.10,"f":2}')
        made = document("order")
        assert (made["message"], made["ttyscribe"]["kind"]) == ("order", "cee")
        assert made["structured"]["n"] == 123456789012345678901234567890
        assert made["ttyscribe"]["original"].endswith('"f":1.10,"f":2}')

        log(chain, '@cee: {"broken":')
        made = document("broken")
        assert (made["message"], made["ttyscribe"]["kind"]) == ('@cee: {"broken":', "syslog")
