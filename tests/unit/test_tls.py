"""What the configuration asks of TLS: contexts, and why there is none."""

import ssl
import sys

import pytest

from selredis.config import Config
from selredis.errors import TlsError
from selredis.net.tls import make_context
from tests.harness.certificates import Certificates


def configured(certificates: Certificates, **parameters: str) -> Config:
    config = Config()
    given = {
        'tls_cert_file': certificates.path('server.crt'),
        'tls_key_file': certificates.path('server.key'),
        'tls_ca_cert_file': certificates.path('ca.crt'),
        **parameters,
    }
    for name, text in given.items():
        config.read_directive([name.replace('_', '-').encode(), text.encode()])
    return config


def context_of(certificates: Certificates, **parameters: str) -> ssl.SSLContext:
    context, warnings = make_context(configured(certificates, **parameters))
    assert warnings == []
    return context


def failure(certificates: Certificates, **parameters: str) -> str:
    with pytest.raises(TlsError) as raised:
        make_context(configured(certificates, **parameters))
    return str(raised.value)


def test_two_files_and_an_authority_are_enough(certificates):
    context = context_of(certificates)
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2
    assert context.maximum_version is ssl.TLSVersion.TLSv1_3
    assert context.options & ssl.OP_NO_RENEGOTIATION


def test_files_are_meant_from_dir(certificates):
    context_of(
        certificates,
        dir=str(certificates.directory),
        tls_cert_file='server.crt',
        tls_key_file='server.key',
        tls_ca_cert_file='',
        tls_ca_cert_dir='.',
    )


@pytest.mark.parametrize(
    ('parameters', 'reason'),
    [
        ({'tls_cert_file': ''}, 'No tls-cert-file configured!'),
        ({'tls_key_file': ''}, 'No tls-key-file configured!'),
        (
            {'tls_ca_cert_file': ''},
            'Either tls-ca-cert-file or tls-ca-cert-dir must be specified when tls-auth-clients is enabled!',
        ),
        (
            {'tls_cert_file': '/no/such/file'},
            'Failed to load certificate: /no/such/file: No such file or directory',
        ),
        ({'tls_cert_file': '/dev/null'}, 'Failed to load certificate: /dev/null: '),
        (
            {'tls_key_file': '/no/such/file'},
            'Failed to load private key: /no/such/file: No such file or directory',
        ),
        (
            {'tls_ca_cert_file': '/no/such/file'},
            'Failed to configure CA certificate(s) file/directory: No such file or directory',
        ),
        ({'tls_ca_cert_file': '/dev/null'}, 'Failed to configure CA certificate(s) file/directory: '),
        (
            {'tls_dh_params_file': '/no/such/file'},
            'Failed to load DH params file: /no/such/file: No such file or directory',
        ),
        ({'tls_ciphers': 'ROT13'}, 'Failed to configure ciphers: ROT13: no cipher can be selected'),
        (
            {'tls_protocols': 'TLSv1.2 SSLv3'},
            "Invalid tls-protocols specified. Use a combination of 'TLSv1', 'TLSv1.1', 'TLSv1.2' and 'TLSv1.3'.",
        ),
    ],
)
def test_what_cannot_be_had_is_told(parameters, reason, certificates):
    assert failure(certificates, **parameters).startswith(reason)


def test_a_key_that_is_another_certificates(certificates):
    path = certificates.path('client.key')
    assert failure(certificates, tls_key_file=path) == f'Failed to load private key: {path}: key values mismatch'


def test_a_key_with_a_password(certificates):
    path = certificates.encrypt_key('server', '1234')
    context_of(certificates, tls_key_file=path, tls_key_file_pass='1234')
    for password in ('', 'wrong', 'x' * 5000):
        text = failure(certificates, tls_key_file=path, tls_key_file_pass=password)
        assert text.startswith(f'Failed to load private key: {path}: ')
        assert 'wrong' not in text.removeprefix(f'Failed to load private key: {path}: ')


@pytest.mark.parametrize(
    ('word', 'mode'), [('no', ssl.CERT_NONE), ('optional', ssl.CERT_OPTIONAL), ('yes', ssl.CERT_REQUIRED)]
)
def test_what_clients_have_to_show(word, mode, certificates):
    assert context_of(certificates, tls_auth_clients=word).verify_mode is mode


def test_no_authority_is_needed_for_clients_that_show_nothing(certificates):
    context_of(certificates, tls_auth_clients='no', tls_ca_cert_file='')


@pytest.mark.parametrize(
    ('text', 'lowest', 'highest', 'without'),
    [
        ('', 'TLSv1_2', 'TLSv1_3', 0),
        ('TLSv1.2', 'TLSv1_2', 'TLSv1_2', 0),
        ('tlsv1.3', 'TLSv1_3', 'TLSv1_3', 0),
        ('TLSv1 TLSv1.1 TLSv1.2', 'TLSv1', 'TLSv1_2', 0),
        ('TLSv1.3 TLSv1.1', 'TLSv1_1', 'TLSv1_3', ssl.OP_NO_TLSv1_2),
    ],
)
def test_protocols(text, lowest, highest, without, certificates):
    context = context_of(certificates, tls_protocols=text)
    assert context.minimum_version.name == lowest
    assert context.maximum_version.name == highest
    assert bool(context.options & ssl.OP_NO_TLSv1_2) == bool(without)


def test_ciphers(certificates):
    context = context_of(certificates, tls_ciphers='ECDHE-ECDSA-AES256-GCM-SHA384')
    names = [cipher['name'] for cipher in context.get_ciphers() if not cipher['name'].startswith('TLS_')]
    assert names == ['ECDHE-ECDSA-AES256-GCM-SHA384']


@pytest.mark.skipif(sys.version_info >= (3, 15), reason='Python has learned it')
def test_suites_that_python_cannot_choose_are_warned_about(certificates):
    _, warnings = make_context(configured(certificates, tls_ciphersuites='TLS_AES_128_GCM_SHA256'))
    assert warnings == ['WARNING: "tls-ciphersuites TLS_AES_128_GCM_SHA256" has no effect: this needs Python 3.15']


@pytest.mark.parametrize('answer', ['yes', 'no'])
def test_whose_preference_counts(answer, certificates):
    context = context_of(certificates, tls_prefer_server_ciphers=answer)
    assert bool(context.options & ssl.OP_CIPHER_SERVER_PREFERENCE) == (answer == 'yes')


def test_sessions_may_be_left_out(certificates):
    assert context_of(certificates).num_tickets > 0
    context = context_of(certificates, tls_session_caching='no')
    assert context.num_tickets == 0
    assert context.options & ssl.OP_NO_TICKET


def test_parameters_of_diffie_and_hellman(certificates):
    path = certificates.path('dh.pem')
    certificates.run('genpkey', '-genparam', '-algorithm', 'DH', '-pkeyopt', 'group:ffdhe2048', '-out', path)
    context_of(certificates, tls_dh_params_file=path)
