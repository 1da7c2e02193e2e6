"""A self-signed certificate for --https, valid for a year: browsers on phones only open the microphone over HTTPS."""

import datetime
import ipaddress
import json
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from deploy.local.keys import write_private

DAYS = 365


def certificate(folder: Path, addresses: list[str]) -> Path:
    """Return a file with key and certificate for localhost and these addresses; made anew when they change or it
    ages."""
    file, about = folder / "certificate.pem", folder / "certificate.json"
    now = datetime.datetime.now(datetime.UTC)
    try:
        known = json.loads(about.read_text())
        fresh = known["addresses"] == addresses and known["until"] > (now + datetime.timedelta(days=7)).isoformat()
        if fresh and file.exists():
            return file
    except (OSError, ValueError, KeyError, TypeError):
        about.unlink(missing_ok=True)
    until = now + datetime.timedelta(days=DAYS)
    write_private(file, make(addresses, now, until))
    about.write_text(json.dumps({"addresses": addresses, "until": until.isoformat()}))
    return file


def make(addresses: list[str], now: datetime.datetime, until: datetime.datetime) -> str:
    """Make key and self-signed certificate as PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Stamtafel on this machine")])
    names: list[x509.GeneralName] = [x509.DNSName("localhost")]
    names += [x509.IPAddress(ipaddress.ip_address(address)) for address in ("127.0.0.1", "::1", *addresses)]
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(minutes=5))
        .not_valid_after(until)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return (pem + signed.public_bytes(serialization.Encoding.PEM)).decode()
