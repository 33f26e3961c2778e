"""Certificates for tests of TLS, made by the openssl program in a directory of the tests' own."""

import subprocess
from pathlib import Path

EC = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1']

# The extensions that RFC 5280 demands, which Python checks since 3.13 (VERIFY_X509_STRICT).
EXTENSIONS = """
[req]
distinguished_name = name
[name]
[authority]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[localhost]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
subjectAltName = DNS:localhost, IP:127.0.0.1
"""


class Certificates:
    """An authority, and certificates that it has signed: files `NAME.crt` with their keys `NAME.key`.

    `server` and `client` are there from the start. `stranger` has signed itself.
    """

    def __init__(self, openssl: str, directory: Path) -> None:
        self.openssl = openssl
        self.directory = directory
        (directory / 'openssl.cnf').write_text(EXTENSIONS, encoding='utf-8')
        for name in ('ca', 'stranger'):
            self.request(name, 'authority')
        for name in ('server', 'client'):
            self.sign(name)

    def path(self, name: str) -> str:
        return str(self.directory / name)

    def files(self, name: str) -> list[str]:
        return ['-out', self.path(f'{name}.crt'), '-keyout', self.path(f'{name}.key')]

    def sign(self, name: str) -> None:
        """Make a certificate for localhost and a key, signed by the authority."""
        self.request(name, 'localhost', '-CA', self.path('ca.crt'), '-CAkey', self.path('ca.key'))

    def request(self, name: str, extensions: str, *signer: str) -> None:
        """Make a key and a certificate with a section of EXTENSIONS; self-signed if no signer is given."""
        config = ['-config', self.path('openssl.cnf'), '-extensions', extensions]
        self.run('req', '-x509', *config, *EC, '-nodes', '-subj', f'/CN={name}', *signer, *self.files(name))

    def encrypt_key(self, name: str, password: str) -> str:
        """A copy of a key that needs a password."""
        path = self.path(f'{name}.encrypted.key')
        key = self.path(f'{name}.key')
        self.run('ec', '-in', key, '-out', path, '-aes256', '-passout', f'pass:{password}')
        return path

    def run(self, *words: str) -> None:
        subprocess.run([self.openssl, *words], check=True, capture_output=True, timeout=60)
