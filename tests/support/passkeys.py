"""Passkeys for tests that have no browser: credentials as a device makes them, and what it signs with them."""

from __future__ import annotations

import json
import secrets
from typing import Any
from urllib.parse import urlsplit

from allauth.mfa.models import Authenticator
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from django.conf import settings
from fido2.cose import ES256
from fido2.utils import sha256, websafe_encode
from fido2.webauthn import Aaguid, AttestationObject, AttestedCredentialData, AuthenticatorData

from people.models import User

FLAG = AuthenticatorData.FLAG
CHECKED = FLAG.UP | FLAG.UV  # somebody touched it, and it knows who


class Device:
    """A device that makes and uses one passkey for this site."""

    def __init__(self) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.id = secrets.token_bytes(16)
        self.site = sha256((urlsplit(settings.SITE_URL).hostname or "").encode())

    def make(self, challenge: str = "", *, alone: bool = True) -> dict[str, Any]:
        """Answer to a registration; `alone` says that the passkey can sign in without a password."""
        public = ES256.from_cryptography_key(self.key.public_key())  # type: ignore[no-untyped-call]
        data = AttestedCredentialData.create(Aaguid(bytes(16)), self.id, public)
        attested = AttestationObject.create("none", AuthenticatorData.create(self.site, CHECKED | FLAG.AT, 0, data), {})
        response = {"attestationObject": websafe_encode(bytes(attested))}
        return self._answer("webauthn.create", challenge, response, {"credProps": {"rk": alone}})

    def sign(self, challenge: str) -> dict[str, Any]:
        """Answer to a question at sign-in."""
        facts = bytes(AuthenticatorData.create(self.site, CHECKED, 1))
        asked = self._asked("webauthn.get", challenge)
        signature = self.key.sign(facts + sha256(asked), ec.ECDSA(hashes.SHA256()))
        response = {"authenticatorData": websafe_encode(facts), "signature": websafe_encode(signature)}
        return self._answer("webauthn.get", challenge, response, {})

    def _asked(self, kind: str, challenge: str) -> bytes:
        return json.dumps({"type": kind, "challenge": challenge, "origin": settings.SITE_URL}).encode()

    def _answer(self, kind: str, challenge: str, response: dict[str, str], extras: dict[str, Any]) -> dict[str, Any]:
        asked = {"clientDataJSON": websafe_encode(self._asked(kind, challenge))}
        names = {"id": websafe_encode(self.id), "rawId": websafe_encode(self.id), "type": "public-key"}
        return {**names, "response": {**asked, **response}, "clientExtensionResults": extras}


def passkey_of(user: User, name: str = "My laptop", *, alone: bool = True) -> Authenticator:
    """A passkey that a person has added."""
    data = {"name": name, "credential": Device().make(alone=alone)}
    return Authenticator.objects.create(user=user, type=Authenticator.Type.WEBAUTHN, data=data)
