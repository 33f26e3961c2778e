"""What the configuration asks of TLS, as a context of the standard library's ssl.

The ssl module cannot do all that OpenSSL can. Sessions are resumed or not (tls-session-caching); how many are kept,
and for how long, is OpenSSL's own choice. The suites of TLS 1.3 may be chosen since Python 3.15; before that all of
OpenSSL's are offered, none of which is weak. Without tls-ciphers older protocols have Python's list of ciphers, which
leaves out some that OpenSSL's has: none without forward secrecy, none with SHA-1.
"""

import ssl
import warnings
from collections.abc import Callable

from selredis.config import Config
from selredis.errors import TlsError

VERIFY_MODES = {'no': ssl.CERT_NONE, 'optional': ssl.CERT_OPTIONAL, 'yes': ssl.CERT_REQUIRED}
PROTOCOLS = {
    'tlsv1': (ssl.TLSVersion.TLSv1, ssl.OP_NO_TLSv1),
    'tlsv1.1': (ssl.TLSVersion.TLSv1_1, ssl.OP_NO_TLSv1_1),
    'tlsv1.2': (ssl.TLSVersion.TLSv1_2, ssl.OP_NO_TLSv1_2),
    'tlsv1.3': (ssl.TLSVersion.TLSv1_3, ssl.OP_NO_TLSv1_3),
}
DEFAULT_PROTOCOLS = 'TLSv1.2 TLSv1.3'


def make_context(config: Config) -> tuple[ssl.SSLContext, list[str]]:
    """A context for a server's side of connections, and lines for the log on what it cannot do. Raises TlsError."""
    cert_file, key_file = config.path('tls-cert-file'), config.path('tls-key-file')
    ca_file, ca_dir = config.path('tls-ca-cert-file') or None, config.path('tls-ca-cert-dir') or None
    if not cert_file:
        raise TlsError('No tls-cert-file configured!')
    if not key_file:
        raise TlsError('No tls-key-file configured!')
    if config['tls-auth-clients'] != 'no' and not (ca_file or ca_dir):
        raise TlsError('Either tls-ca-cert-file or tls-ca-cert-dir must be specified when tls-auth-clients is enabled!')
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    set_protocols(context, config['tls-protocols'] or DEFAULT_PROTOCOLS)
    # Otherwise a client could have the server work for it again and again, and writing would have to wait for reading.
    context.options |= ssl.OP_NO_RENEGOTIATION
    # A file of certificates, be it for the server or for whom it trusts, is read alike.
    attempt(
        lambda: ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_verify_locations(cert_file),
        f'Failed to load certificate: {cert_file}',
    )
    # A function, for without one OpenSSL would ask for the password at the terminal.
    password = config['tls-key-file-pass']
    attempt(
        lambda: context.load_cert_chain(cert_file, key_file, lambda: password),
        f'Failed to load private key: {key_file}',
    )
    if ca_file or ca_dir:
        attempt(
            lambda: context.load_verify_locations(ca_file, ca_dir),
            'Failed to configure CA certificate(s) file/directory',
        )
    dh_params_file = config.path('tls-dh-params-file')
    if dh_params_file:
        attempt(lambda: context.load_dh_params(dh_params_file), f'Failed to load DH params file: {dh_params_file}')
    lines = set_ciphers(context, config)
    context.verify_mode = VERIFY_MODES[config['tls-auth-clients']]
    if not config['tls-session-caching']:
        context.options |= ssl.OP_NO_TICKET
        context.num_tickets = 0
    return context, lines


def set_protocols(context: ssl.SSLContext, text: str) -> None:
    """Speak these versions alone. Raises TlsError for a name that is none."""
    names = text.lower().split(' ')
    if not PROTOCOLS.keys() >= set(names):
        raise TlsError(
            "Invalid tls-protocols specified. Use a combination of 'TLSv1', 'TLSv1.1', 'TLSv1.2' and 'TLSv1.3'."
        )
    chosen = [version for name, (version, _) in PROTOCOLS.items() if name in names]
    with warnings.catch_warnings():
        # Old versions are, but it is for the operator to say what old clients there are.
        warnings.simplefilter('ignore', DeprecationWarning)
        context.minimum_version, context.maximum_version = chosen[0], chosen[-1]
        for version, without in PROTOCOLS.values():
            if chosen[0] < version < chosen[-1] and version not in chosen:
                context.options |= without


def set_ciphers(context: ssl.SSLContext, config: Config) -> list[str]:
    """Offer these ciphers alone; returns lines for the log on what cannot be done. Raises TlsError."""
    ciphers, suites = config['tls-ciphers'], config['tls-ciphersuites']
    if ciphers:
        attempt(lambda: context.set_ciphers(ciphers), f'Failed to configure ciphers: {ciphers}')
    if config['tls-prefer-server-ciphers']:
        context.options |= ssl.OP_CIPHER_SERVER_PREFERENCE
    else:
        context.options &= ~ssl.OP_CIPHER_SERVER_PREFERENCE
    if not suites:
        return []
    choose: Callable[[str], None] | None = getattr(context, 'set_ciphersuites', None)  # Python 3.15 and later
    if choose is None:
        return [f'WARNING: "tls-ciphersuites {suites}" has no effect: this needs Python 3.15']
    attempt(lambda: choose(suites), f'Failed to configure ciphersuites: {suites}')
    return []


def attempt(action: Callable[[], object], failure: str) -> None:
    """Raises TlsError, which begins with `failure`, if the action does not succeed."""
    try:
        action()
    except (OSError, ValueError) as error:  # an ssl.SSLError is an OSError; ValueError is for a NUL, or a long password
        raise TlsError(f'{failure}: {reason_of(error)}') from error


def reason_of(error: Exception) -> str:
    """What OpenSSL or the system says was wrong, without where in Python's source it came out."""
    if not isinstance(error, ssl.SSLError):
        return (error.strerror if isinstance(error, OSError) else None) or str(error)
    # Errors of the module's own have no reason.
    reason = str(getattr(error, 'reason', None) or error.args[-1]).rstrip('.').lower().replace('_', ' ')
    detail = getattr(error, 'verify_message', '')
    return f'{reason}: {detail}' if detail else reason
