"""Every setting, once: each field is an environment variable, a key of the configuration file and a flag of `serve`."""

import os
import re
import tomllib
from collections.abc import Mapping
from math import isfinite
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints
from urllib.parse import urlsplit

import msgspec

from parley.lib.redaction import Secret, mask_url

Profile = Literal["dev", "strict"]
_PREFIX = "PARLEY_"
_TOKEN_LENGTH = 8
_TOKEN = re.compile(rf"[!-~]{{{_TOKEN_LENGTH},}}")
_BLANK = re.compile(r"\s")

_Pace = Annotated[float, msgspec.Meta(ge=0)]
_Port = Annotated[int, msgspec.Meta(ge=0, le=65535, description="Port to listen on; 0 takes a free one.")]


def _about(text: str) -> msgspec.Meta:
    return msgspec.Meta(description=text)


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How one node runs. Precedence: flag, environment (`PARLEY_<NAME>`), file (`PARLEY_CONFIG`), default."""

    host: Annotated[str, _about("Address to listen on. The dev profile stays on loopback.")] = "127.0.0.1"
    port: _Port = 8080
    tls: Annotated[
        bool, _about("Speak TLS on the port, with server.pem and server-key.pem beside the data; made at need.")
    ] = False
    ca_file: Annotated[
        str | None,
        _about("PEM file of authorities to trust besides the system's, for webhooks and media. Of `tls`: its own."),
    ] = None
    database_url: Annotated[str, _about("`sqlite:///path` or `postgresql://user@host:port/name`.")] = (
        "sqlite:///var/parley.db"
    )
    profile: Annotated[
        Profile,
        _about(
            "`dev`: numbers are owned on first use, senders are not paced, callbacks may go to loopback. `strict`: not."
        ),
    ] = "dev"
    private_networks: Annotated[
        bool,
        _about(
            "Callbacks and media may lie in private networks (10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16, 100.64.0.0/10,"
            " fc00::/7). Every account reaches them then."
        ),
    ] = False
    public_url: Annotated[
        str | None, _about("Origin under which apps reach this server, for the media URLs in webhooks.")
    ] = None
    link_url: Annotated[
        str | None,
        _about("Origin of the short links of services without a domain of their own. Default: `public_url`."),
    ] = None
    node_name: Annotated[str | None, _about("Name of this node; a restart under it takes up its work at once.")] = None
    account_sid: Annotated[str | None, _about("The first account's SID (`AC` and 32 hex digits).")] = None
    auth_token: Annotated[str | None, _about("The first account's auth token, which is its API token too.")] = None
    secret_key: Annotated[
        str | None, _about("Encrypts signing secrets at rest; default a key file beside the data.")
    ] = None
    log_level: Annotated[Literal["debug", "info", "warning", "error"], _about("Least level that is logged.")] = "info"
    log_format: Annotated[
        Literal["auto", "json", "text"], _about("`auto` is text on a terminal and JSON elsewhere.")
    ] = "auto"
    pace_long_code: Annotated[
        _Pace | None, _about("Segments a second of a long code; 0 is unlimited, as all are in `dev`. In `strict`: 1.")
    ] = None
    pace_toll_free: Annotated[_Pace | None, _about("Segments a second of a toll-free number. In `strict`: 3.")] = None
    pace_short_code: Annotated[_Pace | None, _about("Segments a second of a short code. In `strict`: 100.")] = None
    pace_alphanumeric: Annotated[
        _Pace | None, _about("Segments a second of an alphanumeric sender. In `strict`: 10.")
    ] = None
    pace_whatsapp: Annotated[_Pace | None, _about("Messages a second of a WhatsApp sender. In `strict`: 80.")] = None
    campaign_registration: Annotated[
        bool | None,
        _about(
            "US and Canadian long codes need an approved campaign to write to the US (30034). Default: in `strict`."
        ),
    ] = None
    toll_free_verification: Annotated[
        bool | None,
        _about("Toll-free numbers need a verification to write to the US and Canada (30032). Default: in `strict`."),
    ] = None
    pace_low_trust: Annotated[
        float, msgspec.Meta(gt=0, description="Segments a second of a campaign whose brand's score is below 50.")
    ] = 1.0
    pace_medium_trust: Annotated[
        float, msgspec.Meta(gt=0, description="Segments a second of a campaign whose brand's score is 50 to 74.")
    ] = 10.0
    pace_high_trust: Annotated[
        float, msgspec.Meta(gt=0, description="Segments a second of a campaign whose brand's score is 75 or more.")
    ] = 225.0
    brand_daily_cap: Annotated[
        int, msgspec.Meta(ge=0, description="Segments a day of a brand, by Pacific time (30023); 0 is unlimited.")
    ] = 2000
    opt_out_reply: Annotated[str | None, _about("Answer to STOP; empty for none.")] = None
    opt_in_reply: Annotated[str | None, _about("Answer to START; empty for none.")] = None
    help_reply: Annotated[str | None, _about("Answer to HELP; empty for none.")] = None
    sender_rules_file: Annotated[
        str | None, _about("Tab-separated rows that replace those of `parley/model/sender_rules.tsv`, by country.")
    ] = None
    geo_permissions: Annotated[
        str | None,
        _about("Countries (ISO 3166-1, commas between) that accounts may write to unless theirs say otherwise; all."),
    ] = None
    credit: Annotated[
        Annotated[float, msgspec.Meta(ge=0)] | None,
        _about("US dollars that an account may spend unless its own say otherwise; default: as many as it likes."),
    ] = None
    prices_file: Annotated[
        str | None,
        _about("Tab-separated rows that replace those of `parley/model/prices.tsv`, by their first columns."),
    ] = None
    media_limits: Annotated[
        Literal["lenient", "carrier"],
        _about(
            "Media of SignalWire's messages: `lenient` is 5 MB, PDF too; `carrier` its own 1.2 MB (750 kB toll-free)"
            " and types."
        ),
    ] = "lenient"
    middle_state: Annotated[
        Literal["initiated", "sending", "none"],
        _about(
            "How SignalWire's status callbacks spell the state between `queued` and `sent`: as its API does, as its"
            " guides do, or not at all."
        ),
    ] = "initiated"
    callback_attempts: Annotated[
        Annotated[int, msgspec.Meta(ge=1, le=10_000)] | None,
        _about(
            "Attempts at a callback that may yet succeed; default: until `callback_give_up_s`, but 3 where its host"
            " answers by 5xx other than 502, 503 and 504."
        ),
    ] = None
    callback_give_up_s: Annotated[
        float, msgspec.Meta(ge=0, le=2_592_000, description="Seconds after which a callback is tried no more.")
    ] = 1800.0
    relay_delivery: Annotated[
        Literal["one", "all"],
        _about("Who of several Relay clients of a context gets its events: `one`, in turn, or `all`."),
    ] = "one"
    relay_default_context: Annotated[
        str | None,
        _about(
            "Context of Relay clients that name none when they connect (dev: office); realtime-api 4 names its own."
        ),
    ] = None
    relay_ping_s: Annotated[
        float, msgspec.Meta(gt=0, le=10, description="Seconds between a Relay client's pings; some leave after 15.")
    ] = 9.0
    api_rate: Annotated[
        Annotated[float, msgspec.Meta(ge=0)] | None,
        _about(
            "Writes a second that an account may ask of the API, over all nodes; 0 is unlimited. Default: unlimited in"
            " `dev`, 1380 in `strict`."
        ),
    ] = None
    api_burst: Annotated[
        Annotated[int, msgspec.Meta(ge=1)] | None,
        _about("Writes that an account may ask at once. Default: ten seconds of `api_rate`."),
    ] = None
    api_concurrency: Annotated[
        int,
        msgspec.Meta(ge=0, description="Requests of one account that a node serves at once; 0 is unlimited."),
    ] = 1000
    intake_limit: Annotated[
        int,
        msgspec.Meta(ge=1, description="Writes that may wait for the record on a node; more are answered 429."),
    ] = 4000
    schedule_min_s: Annotated[
        int,
        msgspec.Meta(ge=0, description="Seconds from now of the earliest time that a message may be scheduled for."),
    ] = 300
    schedule_max_s: Annotated[
        int,
        msgspec.Meta(ge=0, le=3_024_000, description="Seconds from now of the latest; 35 days at most."),
    ] = 3_024_000
    schedule_limit: Annotated[
        int, msgspec.Meta(ge=0, description="Messages that an account may have scheduled at once.")
    ] = 500_000
    uncertain_policy: Annotated[
        Literal["hold", "resend"],
        _about(
            "A submit whose outcome was lost: `hold` waits for a late receipt, `resend` submits again, perhaps twice."
        ),
    ] = "hold"
    drain_s: Annotated[float, msgspec.Meta(ge=0, le=600, description="Seconds that a graceful stop may take.")] = 10.0

    def __repr__(self) -> str:
        """Says no secret."""
        shown = {f: getattr(self, f) for f in self.__struct_fields__ if f not in _SECRETS}
        shown["database_url"] = mask_url(self.database_url)
        return f"Settings({shown})"

    @property
    def origin(self) -> str:
        """Where this machine reaches the server, whatever the public calls it."""
        host = "127.0.0.1" if self.host in ("0.0.0.0", "::", "") else self.host  # noqa: S104 - compared with, not bound to
        return f"{'https' if self.tls else 'http'}://{f'[{host}]' if ':' in host else host}:{self.port}"

    @property
    def secrets(self) -> "Secrets":
        """The settings that nothing may print."""
        return Secrets(*(Secret(v) if (v := getattr(self, f)) else None for f in _SECRETS))


_SECRETS = ("auth_token", "secret_key")


class Secrets(msgspec.Struct, frozen=True):
    """The secret settings, wrapped."""

    auth_token: Secret | None
    secret_key: Secret | None


class SettingsError(ValueError):
    """A setting that cannot be; the text names it and says what it may be."""


def load(flags: Mapping[str, Any] | None = None, environment: Mapping[str, str] | None = None) -> Settings:
    """The settings of this process. `flags` are by field name, None for unset. Raises SettingsError."""
    env = os.environ if environment is None else environment
    path = env.get(f"{_PREFIX}CONFIG")
    given: dict[str, Any] = _file(path) if path else {}
    of_file = set(given)
    for name in Settings.__struct_fields__:
        value = env.get(_PREFIX + name.upper())
        if value is not None and (value != "" or name.endswith("_reply")):
            given[name] = value
            of_file.discard(name)
    flagged = {name: value for name, value in (flags or {}).items() if value is not None}
    given |= flagged
    of_file -= flagged.keys()
    if isinstance(level := given.get("log_level"), str):
        given["log_level"] = level.lower()
    settings, name, problem = None, "", ""
    try:
        settings = msgspec.convert(given, Settings, strict=False)
    except msgspec.ValidationError as error:
        name, problem = _readable(str(error), given)
    else:
        name, problem = _objection(settings)
    if settings is None or problem:
        where = f"PARLEY_CONFIG {path}: " if name in of_file else ""
        raise SettingsError(f"{where}{name}: {problem}")
    return settings


def _file(path: str) -> dict[str, Any]:
    try:
        given = tomllib.loads(Path(path).read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"PARLEY_CONFIG {path}: {error}") from None
    for name in given:
        if name not in Settings.__struct_fields__:
            raise SettingsError(f"PARLEY_CONFIG {path}: there is no setting {name!r}")
    return given


def _readable(problem: str, given: Mapping[str, Any]) -> tuple[str, str]:
    """The setting that a ValidationError is about, and what it may be."""
    what, _, where = problem.partition(" - at `$.")
    name = where.rstrip("`")
    if choices := _choices(name):
        what = f"it has to be {', '.join(choices[:-1])} or {choices[-1]}, and is {given[name]!r}"
    elif what.startswith("Expected `bool"):
        what = f"it has to be true or false, and is {given[name]!r}"
    return name, what


def _choices(name: str) -> tuple[str, ...]:
    hint = get_type_hints(Settings).get(name)
    return get_args(hint) if get_origin(hint) is Literal else ()


def _objection(settings: Settings) -> tuple[str, str]:
    """The setting that cannot be, though it is of its type, and what it may be; two empty texts when there is none."""
    for name in Settings.__struct_fields__:
        value = getattr(settings, name)
        if isinstance(value, float) and not isfinite(value):
            return name, "it has to be a finite number"
    for name in ("public_url", "link_url"):
        value = getattr(settings, name)
        if value is not None and not _is_origin(value):
            return name, "it has to be a URL such as https://parley.example.com, without user, query or fragment"
    if settings.node_name is not None and not settings.node_name.strip():
        return "node_name", "it has to have a letter or digit"
    if settings.auth_token is not None and not _TOKEN.fullmatch(settings.auth_token):
        return "auth_token", f"it has to have {_TOKEN_LENGTH} or more letters, digits and signs of ASCII"
    if settings.schedule_min_s > settings.schedule_max_s:
        return "schedule_min_s", f"it has to be at most schedule_max_s, which is {settings.schedule_max_s}"
    return "", ""


def _is_origin(url: str) -> bool:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return False
    is_plain = not (parts.query or parts.fragment or "@" in parts.netloc or _BLANK.search(url))
    return parts.scheme in ("http", "https") and bool(parts.hostname) and is_plain


def describe() -> list[tuple[str, str, str]]:
    """Each setting's name, meaning and default, for `--help` and the documentation."""
    info = msgspec.inspect.type_info(Settings)
    assert isinstance(info, msgspec.inspect.StructType)
    described = []
    for field in info.fields:
        meta = field.type
        text = (
            (meta.extra_json_schema or {}).get("description", "") if isinstance(meta, msgspec.inspect.Metadata) else ""
        )
        default = "" if field.default in (None, msgspec.NODEFAULT) else str(field.default)
        described.append((field.name, text, default))
    return described
