"""Keeps secrets out of logs, errors and reprs. Phone numbers stay: operators need them."""

import hmac
import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import unquote_plus, urlsplit

MASK: Final = "***"
"""What stands where a secret was."""

# Whole words of a key, so that `token` hides but `page_tokens_left` or `secretary` do not.
_SECRET_KEY = re.compile(
    r"(?:^|[_.\-\s])"
    r"(?:authorization|auth|cookie|credentials?|passwd|password|passphrase|secrets?|signature|(?:auth)?token|"
    r"(?:api|signing|secret|access|private)[_\-\s]?key|jwt|bearer)"
    r"$"
)
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
# No scheme is so long, and without a bound a long word would be read again from each of its letters.
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]{0,31}://[^\s\"'<>]+")
_PARAMETER = re.compile(r"(?P<key>[^&;=?]+)=(?P<value>[^&;]*)")
_PATHS_WITH_AT = frozenset({"", "http", "https", "sqlite"})
"""The schemes in whose paths an '@' may well stand; in a database server's it is the end of a password with a '/'."""
_MAX_DEPTH = 8


class Secret:
    """A string that shows itself only when asked to: its repr, str and format are a mask."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The secret itself."""
        return self._value

    def __repr__(self) -> str:
        return f"Secret({MASK!r})"

    def __str__(self) -> str:
        return MASK

    def __format__(self, spec: str) -> str:
        return format(MASK, spec)

    def __bool__(self) -> bool:
        return bool(self._value)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        mine, theirs = (each.reveal().encode("utf-8", "surrogatepass") for each in (self, other))
        return hmac.compare_digest(mine, theirs)

    def __hash__(self) -> int:
        return hash(self._value)


def is_secret_key(key: str) -> bool:
    """Whether a name, in any of the usual spellings (AuthToken, auth_token, X-Twilio-Signature), names a secret."""
    return _SECRET_KEY.search(_CAMEL.sub("_", key).lower()) is not None


def mask_url(url: str) -> str:
    """A URL without its userinfo and without the values of the secret parameters of its query and fragment, and the
    rest as it was.

    What cannot be read as a URL is masked whole, since no one knows what it holds.
    """
    try:
        parts = urlsplit(url)
        _ = parts.port  # raises where an unquoted '/' of a password has broken the userinfo apart
    except ValueError:
        return MASK
    # What stands before the '/' of such a password looks like a port.
    if parts.netloc and "@" in parts.path and parts.scheme not in _PATHS_WITH_AT:
        return MASK
    userinfo, at, host = parts.netloc.rpartition("@")
    if at:
        if parts.netloc not in url:  # what urlsplit leaves out, such as a tab, stands amid the secret
            return MASK
        url = url.replace(parts.netloc, f"{MASK}@{host}" if userinfo else host, 1)
    whole, hash_, fragment = url.partition("#")
    path, mark, query = whole.partition("?")
    return f"{path}{mark}{_mask_parameters(query)}{hash_}{_mask_parameters(fragment)}"


def scrub(mapping: Mapping[str, Any]) -> dict[str, Any]:
    """A copy with the values of secret keys masked, and the URLs in all other text; nested mappings and lists too."""
    return {key: MASK if is_secret_key(str(key)) else _scrub_value(value, 0) for key, value in mapping.items()}


def _scrub_value(value: Any, depth: int) -> Any:
    if depth >= _MAX_DEPTH:
        return MASK
    if isinstance(value, str):
        return _URL.sub(lambda match: mask_url(match[0]), value) if "://" in value else value
    if isinstance(value, Mapping):
        return {key: MASK if is_secret_key(str(key)) else _scrub_value(each, depth + 1) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_scrub_value(each, depth + 1) for each in value]
    return value


def _mask_parameters(query: str) -> str:
    def mask(match: re.Match[str]) -> str:
        return f"{match['key']}={MASK}" if is_secret_key(unquote_plus(match["key"])) else match[0]

    return _PARAMETER.sub(mask, query)
