#!/usr/bin/env bash
# What the tests need beside Python: installed by apt where we may, else named in one line.
set -euo pipefail
missing=()
need() { # COMMAND PACKAGE
    PATH=$PATH:/usr/sbin command -v "$1" >/dev/null || missing+=("$2")
}
need mosquitto mosquitto
need mosquitto_sub mosquitto-clients
need chromium chromium
need gcc gcc
need fc-list fontconfig
need socat socat
need ssh openssh-client
need sshd openssh-server
need /lib/nut/upsd nut-server
need /lib/nut/upsmon nut-client
need ping iputils-ping
need openssl openssl
if ! [ -e /usr/include/modbus/modbus.h ]; then
    missing+=(libmodbus-dev)
fi
if ! fc-list :lang=zh 2>/dev/null | grep -q .; then
    missing+=(fonts-wqy-microhei)
fi
[ ${#missing[@]} -eq 0 ] && exit 0
sudo=()
if [ "$(id -u)" -ne 0 ]; then
    sudo=(sudo -n)
    if ! sudo -n true 2>/dev/null; then
        echo "roomwarden: the tests need: apt install ${missing[*]}" >&2
        exit 2
    fi
fi
echo "installing ${missing[*]}"
if ! { "${sudo[@]}" apt-get update -qq &&
    DEBIAN_FRONTEND=noninteractive "${sudo[@]}" apt-get install -y -qq --no-install-recommends \
        "${missing[@]}" >/dev/null; }; then
    echo "roomwarden: the tests need: apt install ${missing[*]}" >&2
    exit 2
fi
