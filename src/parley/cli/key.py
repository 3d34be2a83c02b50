"""The key under which the database's secrets are sealed, for commands that read it: found where `serve` keeps it, and
never made here.
"""

from pathlib import Path

from parley.settings import Settings
from parley.store import vault
from parley.store.vault import Vault, VaultError, key_from_text, load_or_create_key


def key_file(settings: Settings) -> Path | None:
    """The file that holds the key; None when the settings hold it. Raises UrlError."""
    return vault.key_file(settings.database_url) if settings.secrets.secret_key is None else None


def vault_of(settings: Settings) -> Vault:
    """What opens the database's secrets. Raises UrlError, and VaultError when there is no usable key."""
    secret = settings.secrets.secret_key
    if secret is not None:
        return Vault(key_from_text(secret.reveal()))
    path = vault.key_file(settings.database_url)
    if not path.exists():
        raise VaultError(f"the key file {path} is not there")
    return Vault(load_or_create_key(path))
