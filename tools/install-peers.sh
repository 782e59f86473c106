#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Installs the real programs that the tests run against, where it may: as root on Debian or Ubuntu.
# Elsewhere it names what is missing; the tests that need it then skip (or fail, with CI=true).
set -eu

PATH=$PATH:/usr/sbin:/sbin
packages=

want() { # program package
    command -v "$1" >/dev/null 2>&1 || packages="$packages $2"
}

want rsyslogd rsyslog
want tlog-rec tlog
want man man-db
want cc gcc
want debootstrap debootstrap
want ssh openssh-client # the server is in the Debian that debootstrap makes
want mvn maven
want journalctl systemd # for journald alone: nothing of it is started
want sshd openssh-server
want ssh openssh-client
want sudo sudo
want tmux tmux
want vim vim
want less less
want openssl openssl
want java openjdk-17-jre-headless
set -- /usr/lib/*/rsyslog/omelasticsearch.so
[ -e "$1" ] || packages="$packages rsyslog-elasticsearch"
set -- /usr/lib/*/rsyslog/imrelp.so
[ -e "$1" ] || packages="$packages rsyslog-relp"
[ -e /usr/include/stdio.h ] || packages="$packages libc6-dev"
[ -n "$packages" ] || exit 0

if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "installing the peers of the tests:$packages"
    apt-get -qq update
    # shellcheck disable=SC2086 # a list of words
    DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends $packages >/dev/null
else
    echo "not installed, and not root on Debian: tests that need them will skip. As root: apt-get install$packages"
fi
