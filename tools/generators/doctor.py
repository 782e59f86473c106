# SPDX-License-Identifier: Apache-2.0
"""What `ttyscribe doctor` looks for: docs/doctor.md."""

from pathlib import Path

from ttyscribe.health import fluentd, journald, rsyslog_rules

_HEAD = """# What `ttyscribe doctor` looks for

<!-- Made by tools/generate.py from the rules in cli/ttyscribe/health/: change those. -->

`ttyscribe doctor` reads the configuration of rsyslog, journald and Fluentd and names what is known to lose, cut or
double messages, or to let others read them. It changes nothing. A *problem* makes its exit status 1, a *note* does not.
Numbers were measured on rsyslog 8.2302 and Fluentd 1.13.3 and 1.16.10.

Of rsyslog it looks at actions that run `ttyscribe-normalize`, and at those that ship messages on (`omrelp`, `omfwd`,
`omelasticsearch`): their queues, and what comes before them. Expressions are not followed: a setting inside an `if`
counts as set, and old-style queue directives (`$ActionQueueType`) are not read.
"""
_COLUMNS = "| rule | | what is wrong, and why | how to mend it |\n|---|---|---|---|\n"
_TITLES = {"rsyslog": "rsyslog", "journald": "journald", "fluentd": "Fluentd"}


def files(_: Path) -> dict[str, str]:
    """Path and text of the page."""
    parts = [_HEAD]
    for name, rules in (("rsyslog", rsyslog_rules.RULES), ("journald", journald.RULES), ("fluentd", fluentd.RULES)):
        parts.append(f"\n## {_TITLES[name]}\n\n{_COLUMNS}")
        for rule in rules.values():
            cells = [f"`{rule.key}`", rule.level, f"**{rule.title}.** {rule.why}", rule.mend]
            parts.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |\n")
    return {"docs/doctor.md": "".join(parts)}
