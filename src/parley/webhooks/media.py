"""Fetch the media that a client's URL names: HEAD to see type and size, GET for the octets, all through the guard."""

from typing import Final

from parley.core.media import MAX_OCTETS, RETRIEVAL_FAILED, TOO_LARGE, TYPE_REFUSED, TYPES, Fetched, MediaUnavailable
from parley.webhooks.client import Answer, Client, FetchFailed, Request

_CONNECT_S: Final = 5.0
_TOTAL_S: Final = 30.0
_TOO_LARGE: Final = "more than a message may carry"


class MediaFetcher:
    """Fetches media for outgoing messages and for what simulated phones send."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def __call__(self, url: str, most: int = MAX_OCTETS) -> Fetched:
        """What a URL gives, of at most `most` octets. Raises MediaUnavailable with Twilio's code."""
        announced: str | None = None
        try:
            head = await self._client.fetch(_request("HEAD", url, 0))
        except FetchFailed as error:
            if error.phase != "read":
                raise _unavailable(error) from None
        else:
            if head.is_ok:  # many servers answer HEAD badly, or not at all: only a good answer says something
                announced = _check(head, most)
        try:
            answer = await self._client.fetch(_request("GET", url, most))
        except FetchFailed as error:
            raise _unavailable(error) from None
        if not answer.is_ok:
            is_final = answer.status < 500 and answer.status not in (408, 429)
            raise MediaUnavailable(RETRIEVAL_FAILED, f"HTTP {answer.status}", is_final=is_final)
        kind = _check(answer, most)
        if announced is not None and kind != announced:  # the type decides who may see the octets: no guess is safe
            raise MediaUnavailable(TYPE_REFUSED, f"announced as {announced}, and sent as {kind}", is_final=True)
        if answer.is_truncated:
            raise MediaUnavailable(TOO_LARGE, _TOO_LARGE, is_final=True)
        return Fetched(answer.headers.get("content-type", ""), answer.body)


def _request(method: str, url: str, most: int) -> Request:
    return Request(method=method, url=url, connect_s=_CONNECT_S, read_s=_TOTAL_S, total_s=_TOTAL_S, max_bytes=most)


def _unavailable(error: FetchFailed) -> MediaUnavailable:
    return MediaUnavailable(error.code, error.reason, is_final=error.phase == "refused")


def _check(answer: Answer, most: int) -> str:
    """The media type of an answer, when it and the size are allowed. Raises MediaUnavailable."""
    kind = answer.headers.get("content-type", "").split(";")[0].strip().lower()
    if not kind.isascii():  # octets that are no text, which no record takes
        kind = ""
    if not kind.startswith(TYPES):
        raise MediaUnavailable(TYPE_REFUSED, f"media of type {kind or 'unknown'} cannot be sent", is_final=True)
    size = answer.headers.get("content-length", "")
    if size.isdecimal() and int(size) > most:
        raise MediaUnavailable(TOO_LARGE, _TOO_LARGE, is_final=True)
    return kind
