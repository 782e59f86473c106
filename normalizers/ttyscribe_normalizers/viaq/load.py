# SPDX-License-Identifier: Apache-2.0
"""The profile's configuration: a file of the operator's, or the one that is shipped; and what the environment says."""

import os
from collections.abc import Mapping
from importlib.resources import files

from ttyscribe_formats.errors import ConfigError
from ttyscribe_formats.viaq import config, settings
from ttyscribe_formats.viaq.chain import Chain, compile_chain
from ttyscribe_normalizers import configuration

SHIPPED = "default.toml"
DOCKER_HOSTNAME = "/etc/docker-hostname"


def read(path: str) -> settings.Settings:
    """The settings in a file; of an empty path the shipped ones. Raises ConfigError."""
    if not path:
        return settings.read(files(__package__).joinpath(SHIPPED).read_text("utf-8"), SHIPPED)
    return settings.read(configuration.text_of(path), path)


def compiled(wanted: settings.Settings, surroundings: config.Surroundings, path: str, *, quick: bool = True) -> Chain:
    """The chain of settings. Raises ConfigError with the path of their file."""
    try:
        return compile_chain(wanted.filters, surroundings, quick=quick)
    except ConfigError as error:
        raise ConfigError(str(error), path or SHIPPED) from None


def surroundings(
    variables: Mapping[str, str] = os.environ, docker_hostname: str = DOCKER_HOSTNAME
) -> config.Surroundings:
    """What the plugins read from their process's environment."""
    try:
        with open(docker_hostname, encoding="utf-8", errors="replace") as file:
            name = file.readline().rstrip()
    except OSError:
        return config.Surroundings.of(variables)
    return config.Surroundings.of(variables, name)


def keeps_collector(wanted: settings.Settings) -> bool:
    """Whether no filter stamps records as their collector."""
    return not any(isinstance(one, config.ViaqDataModel) and one.pipeline_type == "collector" for one in wanted.filters)
