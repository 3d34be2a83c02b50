"""What the settings say, in the terms of the parts that they are for."""

import ssl
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, TypeVar

import structlog

from parley.core.limits import Bounds
from parley.core.pacing import UNLIMITED, Paces
from parley.core.registration import Terms
from parley.lib import ids, tables
from parley.lib.countries import names
from parley.model import price, sender_rule
from parley.model.allowance import Allowance
from parley.model.consent import Replies as KeywordReplies
from parley.model.price import Key, Price
from parley.model.sender_rule import SenderRule
from parley.settings import Settings, SettingsError
from parley.store.connect import sqlite_path
from parley.store.vault import VaultError, key_file, key_from_text, load_or_create_key

log = structlog.get_logger(__name__)

T = TypeVar("T")

API_RATE: Final = 1380.0
"""Writes a second of one account in the strict profile: SignalWire's 13,800 in ten seconds (platform/rate-limits)."""
BURST_S: Final = 10
"""Seconds of its rate that an account may ask at once, unless the settings say otherwise."""


def vault_key(settings: Settings) -> bytes:
    """The key that seals secrets: the settings', or that of the key file beside the data. Raises VaultError."""
    secret = settings.secrets.secret_key
    if secret is not None:
        return key_from_text(secret.reveal())
    path = key_file(settings.database_url)
    if sqlite_path(settings.database_url) is None:
        log.warning("PARLEY_SECRET_KEY is not set; every node needs this key", file=str(path))
    return load_or_create_key(path)


def check_key_is_there(settings: Settings) -> None:
    """Raises VaultError where a key file would be made that cannot be the one that the record was written with."""
    path = key_file(settings.database_url)
    if settings.secrets.secret_key is None and not path.exists():
        raise VaultError(
            f"the key file {path} is not there, and the database was written under a key. Put it"
            " back, or give this process the PARLEY_SECRET_KEY, that it was written with"
        )


def bounds(settings: Settings) -> Bounds:
    """How much may be asked of a node, and of an account."""
    rate = (0.0 if settings.profile == "dev" else API_RATE) if settings.api_rate is None else settings.api_rate
    burst = max(1, round(rate * BURST_S)) if settings.api_burst is None else settings.api_burst
    return Bounds(rate, burst, settings.api_concurrency, settings.intake_limit)


def paces(settings: Settings) -> Paces:
    """How fast each kind of sender may send."""
    defaults = UNLIMITED if settings.profile == "dev" else Paces()
    kinds = Paces.__struct_fields__
    chosen = (getattr(settings, f"pace_{kind}") for kind in kinds)
    return Paces(*(getattr(defaults, k) if rate is None else rate for k, rate in zip(kinds, chosen, strict=True)))


def registration(settings: Settings) -> Terms:
    """Who has to be registered, and what each is let through then."""
    is_strict = settings.profile != "dev"
    campaign, verification = settings.campaign_registration, settings.toll_free_verification
    return Terms(
        is_strict if campaign is None else campaign,
        is_strict if verification is None else verification,
        settings.pace_low_trust,
        settings.pace_medium_trust,
        settings.pace_high_trust,
        settings.brand_daily_cap,
    )


def account_id(settings: Settings) -> bytes | None:
    """The first account's id, where the settings give it. Raises SettingsError."""
    if settings.account_sid is None:
        return None
    found = ids.parse_sid(settings.account_sid, ("AC",))
    if found is None:
        raise SettingsError("account_sid: it is `AC` and 32 hex digits")
    return found


def allowance(settings: Settings) -> Allowance:
    """What accounts may do that costs, unless theirs says otherwise. Raises SettingsError."""
    countries = None
    if settings.geo_permissions is not None:
        countries = tuple(code.strip() for code in settings.geo_permissions.upper().split(","))
        if wrong := set(countries) - names().keys():
            raise SettingsError(f"geo_permissions: {min(wrong)!r} is no code of ISO 3166-1; between codes are commas")
    return Allowance(countries, None if settings.credit is None else round(settings.credit * 1_000_000))


def keyword_replies(settings: Settings) -> KeywordReplies:
    """What the platform answers to STOP, START and HELP."""
    own = KeywordReplies()
    return KeywordReplies(
        stop=own.stop if settings.opt_out_reply is None else settings.opt_out_reply,
        start=own.start if settings.opt_in_reply is None else settings.opt_in_reply,
        help=own.help if settings.help_reply is None else settings.help_reply,
    )


def sender_rules(settings: Settings) -> Mapping[str, SenderRule]:
    """The rules of senders by country. Raises SettingsError."""
    return _table("sender_rules_file", settings.sender_rules_file, sender_rule.read)


def prices(settings: Settings) -> Mapping[Key, Price]:
    """What segments cost. Raises SettingsError."""
    return _table("prices_file", settings.prices_file, price.read)


def check(settings: Settings) -> None:
    """Raises SettingsError for what would keep a node from starting, but for the database and its key."""
    account_id(settings)
    allowance(settings)
    sender_rules(settings)
    prices(settings)
    trust(settings.ca_file)


def _table(setting: str, path: str | None, read: Callable[[str | None], T]) -> T:
    """What a table says; its rows are ours, but for those of the file that the setting names. Raises SettingsError."""
    try:
        return read(None if path is None else Path(path).read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tables.TableError) as error:
        raise SettingsError(f"{setting} {path}: {error}") from None


def trust(ca_file: str | None) -> ssl.SSLContext | None:
    """What trusts a file's authorities too; None for the usual. Raises SettingsError."""
    if ca_file is None:
        return None
    context = ssl.create_default_context()
    try:
        context.load_verify_locations(ca_file)
    except ssl.SSLError:
        raise SettingsError(f"ca_file {ca_file}: it holds no certificates in PEM") from None
    except OSError as error:
        raise SettingsError(f"ca_file {ca_file}: {error.strerror}") from None
    return context
