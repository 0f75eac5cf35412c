"""Which values look like secrets: they would stand readable in the manifest of every step that holds them."""

from __future__ import annotations

import re

_NAME = re.compile(
    r"(^|_)(api_?key|access_?key|private_?key|secret(_?key)?|token|passwd|password|pwd|credentials?|auth)(_|$)",
    re.IGNORECASE,
)
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
# How the tokens of well-known services begin, and what a private key or a URL with a password looks like.
_SHAPES = re.compile(
    r"^(sk-[A-Za-z0-9_-]{16,}|sk_(live|test)_\w{10,}|AKIA[0-9A-Z]{16}|ASIA[0-9A-Z]{16}|gh[pousr]_\w{20,}"
    r"|github_pat_\w{20,}|glpat-[\w-]{16,}|hf_\w{20,}|xox[abprs]-[\w-]{10,}|AIza[\w-]{30,}|eyJ[\w-]{8,}\.[\w-]{8,}\..*"
    r"|npm_\w{20,}|pypi-[\w-]{20,})$"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----|^[a-z][a-z0-9+.-]*://[^/\s:@]+:[^/\s:@]+@",
    re.DOTALL,
)
# Words in a name that count or describe tokens rather than being one.
_HARMLESS = re.compile(
    r"(^|_)(n|num|max|min|count|limit|length|len|size|vocab|special|pad|eos|bos|sep|cls|unk|mask|ids?|index)(_|$)",
    re.IGNORECASE,
)


def looks_secret(name: str, value: object) -> bool:
    """Say whether a value is likely a secret, by the name it has or by its shape; looks into containers."""
    if isinstance(value, (str, bytes)):
        text = value if isinstance(value, str) else value.decode("utf-8", "replace")
        return bool(_SHAPES.search(text.strip())) or (len(text) > 3 and _named_so(name))
    if isinstance(value, dict):
        return any(looks_secret(key if isinstance(key, str) else name, held) for key, held in value.items())
    if isinstance(value, (list, tuple, set, frozenset)):
        return any(looks_secret(name, held) for held in value)
    return False


def _named_so(name: str) -> bool:
    words = _CAMEL.sub("_", name)
    return bool(_NAME.search(words)) and not _HARMLESS.search(words)
