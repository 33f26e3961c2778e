"""Certificates for tests of TLS, made by the openssl program in a directory of the tests' own."""

import subprocess
from pathlib import Path

EC = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1']


class Certificates:
    """An authority, and certificates that it has signed: files `NAME.crt` with their keys `NAME.key`.

    `server` and `client` are there from the start. `stranger` has signed itself.
    """

    def __init__(self, openssl: str, directory: Path) -> None:
        self.openssl = openssl
        self.directory = directory
        for name in ('ca', 'stranger'):
            self.run('req', '-x509', *EC, '-nodes', '-subj', f'/CN={name}', *self.files(name))
        for name in ('server', 'client'):
            self.sign(name)

    def path(self, name: str) -> str:
        return str(self.directory / name)

    def files(self, name: str) -> list[str]:
        return ['-out', self.path(f'{name}.crt'), '-keyout', self.path(f'{name}.key')]

    def sign(self, name: str) -> None:
        """Make a certificate for localhost and a key, signed by the authority."""
        names = 'subjectAltName=DNS:localhost,IP:127.0.0.1'
        by = ['-CA', self.path('ca.crt'), '-CAkey', self.path('ca.key')]
        self.run('req', '-x509', *EC, '-nodes', '-subj', f'/CN={name}', '-addext', names, *by, *self.files(name))

    def encrypt_key(self, name: str, password: str) -> str:
        """A copy of a key that needs a password."""
        path = self.path(f'{name}.encrypted.key')
        key = self.path(f'{name}.key')
        self.run('ec', '-in', key, '-out', path, '-aes256', '-passout', f'pass:{password}')
        return path

    def run(self, *words: str) -> None:
        subprocess.run([self.openssl, *words], check=True, capture_output=True, timeout=60)
