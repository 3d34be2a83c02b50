"""The key under which the database's secrets are sealed, for commands that read it: found where `serve` keeps it, and
never made here.
"""

from pathlib import Path

from parley.settings import Settings
from parley.store.connect import sqlite_path
from parley.store.vault import Vault, VaultError, key_from_text, load_or_create_key

SHARED: Path = Path("var/parley.key")
"""Where a node on PostgreSQL keeps its key when it is given none."""


def key_file(settings: Settings) -> Path | None:
    """The file that holds the key; None when the settings hold it. Raises UrlError."""
    if settings.secrets.secret_key is not None:
        return None
    path = sqlite_path(settings.database_url)
    return SHARED if path is None else path.with_suffix(".key")


def vault_of(settings: Settings) -> Vault:
    """What opens the database's secrets. Raises UrlError, and VaultError when there is no usable key."""
    secret, path = settings.secrets.secret_key, key_file(settings)
    if secret is not None:
        return Vault(key_from_text(secret.reveal()))
    assert path is not None, "one of the two is there"
    if not path.exists():
        raise VaultError(f"the key file {path} is not there")
    return Vault(load_or_create_key(path))
