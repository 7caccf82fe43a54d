"""What a base image's name tells: which program ``/bin/sh`` is."""

from __future__ import annotations

import re

_OTHER = re.compile(
    r"alpine|busybox|ubi\d|rhel|redhat|centos|fedora|rocky|alma|amazonlinux|oraclelinux|distroless|scratch|nixos|suse|"
    r"chainguard|cgr\.dev|wolfi|mariner|azurelinux|/lambda/"
)
_DEBIAN = re.compile(
    r"(?:^|/)(?:python|debian|ubuntu|node|buildpack-deps|uvicorn-gunicorn[\w-]*|pytorch|cuda|tensorflow|langgraph-api|"
    r"langgraphjs-api|playwright(?:/python)?|miniconda3?|anaconda3?|pypy)(?=[:@]|$)"
    r"|bookworm|bullseye|buster|trixie|slim|jammy|noble|focal|-debian|ubuntu"
)


def has_dash(image: str) -> bool:
    """Whether ``/bin/sh`` is Debian's dash, which stays between the system and the program that it starts.

    True only for images that are known to be made from Debian or Ubuntu.
    """
    image = image.lower()
    return bool(image) and _OTHER.search(image) is None and _DEBIAN.search(image) is not None
