"""Encryption of secrets at rest, with keys that can be rotated."""

from __future__ import annotations

from collections.abc import Sequence

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from pydantic import SecretStr

from hourbridge.common.errors import ConfigurationInvalid


class SecretBox:
    """Encrypts with the first key and decrypts with any of them."""

    def __init__(self, keys: Sequence[SecretStr | str]) -> None:
        if not keys:
            raise ConfigurationInvalid("HOURBRIDGE_ENCRYPTION_KEYS holds no key")
        texts = [key.get_secret_value() if isinstance(key, SecretStr) else key for key in keys]
        try:
            self._fernet = MultiFernet([Fernet(text) for text in texts])
        except ValueError:
            what = "HOURBRIDGE_ENCRYPTION_KEYS holds something that is no Fernet key"
            raise ConfigurationInvalid(what) from None

    def seal(self, secret: str) -> bytes:
        """Return the encrypted form."""
        return self._fernet.encrypt(secret.encode())

    def open(self, sealed: bytes | memoryview) -> str:
        """Return the secret; raises ConfigurationInvalid when no key fits."""
        try:
            return self._fernet.decrypt(bytes(sealed)).decode()
        except InvalidToken:
            what = "no key in HOURBRIDGE_ENCRYPTION_KEYS decrypts a stored secret"
            raise ConfigurationInvalid(what) from None
