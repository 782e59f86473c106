# SPDX-License-Identifier: Apache-2.0
"""Structured data of syslog messages (RFC 5424, 6.3): text to elements."""

import re

Elements = dict[str, dict[str, str | list[str]]]
"""Of each id the parameters and their values; of a parameter that stands several times all of them, in order."""

_NAME = r'[^\s=\]"\\\[]+'
_ELEMENT = re.compile(rf'\[({_NAME})((?: +{_NAME}="(?:[^"\\\]]|\\.)*")*) *\]', re.DOTALL)
_PARAMETER = re.compile(rf' +({_NAME})="((?:[^"\\\]]|\\.)*)"', re.DOTALL)
_ESCAPED = re.compile(r'\\(["\\\]])')


def split(text: str) -> tuple[str, str]:
    """The elements at the beginning of a text, and what follows them."""
    end = 0
    while (element := _ELEMENT.match(text, end)) is not None:
        end = element.end()
    return text[:end], text[end:]


def parse(text: str) -> Elements:
    """The elements of a text; none where it is not structured data from its beginning to its end.

    A backslash before any other character than `"`, `\\` and `]` is a character like any other. Elements of one id
    are one: writers send them, though they must not.
    """
    found: Elements = {}
    end = 0
    while end < len(text):
        element = _ELEMENT.match(text, end)
        if element is None:
            return {}
        parameters = found.setdefault(element[1], {})
        for name, escaped in _PARAMETER.findall(element[2]):
            value = _ESCAPED.sub(r"\1", escaped)
            before = parameters.get(name)
            if before is None:
                parameters[name] = value
            elif isinstance(before, list):
                before.append(value)
            else:
                parameters[name] = [before, value]
        end = element.end()
    return found
