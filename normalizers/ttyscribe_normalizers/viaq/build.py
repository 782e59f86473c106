# SPDX-License-Identifier: Apache-2.0
"""The pipeline of the profile `viaq`, out of the program's options."""

from collections.abc import Callable

from ttyscribe_normalizers import envelope, fulljson
from ttyscribe_normalizers.kinds import Context
from ttyscribe_normalizers.options import Options
from ttyscribe_normalizers.pipeline import Decode, Pipeline
from ttyscribe_normalizers.table import MMEXTERNAL
from ttyscribe_normalizers.template import Template
from ttyscribe_normalizers.viaq import load, shapes
from ttyscribe_normalizers.viaq.profile import Profile, Wanted


def build(
    wanted: Options,
    context: Context,
    now_ns: Callable[[], int],
    around: Callable[[Decode], Decode],
    *,
    quick: bool = True,
) -> Pipeline:
    """The pipeline that the options ask for, with something `around` its decoder. Raises ConfigError."""
    settings, surroundings = load.read(wanted.viaq_config), load.surroundings()
    profile = Profile(
        Wanted(
            chain=load.compiled(settings, surroundings, wanted.viaq_config, quick=quick),
            tags=settings.tags,
            node_name=surroundings.node_name,
            now_ns=now_ns,
            stored=wanted.output != "-" or wanted.protocol == MMEXTERNAL,
            keeps_collector=load.keeps_collector(settings),
        ),
        context,
    )
    decodes: dict[str, Decode] = {"omprog": envelope.decode, MMEXTERNAL: fulljson.decode}
    decode = decodes.get(wanted.protocol, shapes.decode)
    if quick:
        decode = Template(decode).decode
    return Pipeline(around(decode), [profile], profile, wanted.max_message, keep_empty=True)
