"""Who may do what. So far there is one user, `default`, who may do everything and has one password or none."""

from selredis.errors import ConfigError

ONE_USER = 'there are no users yet but the default one, who may do everything and has at most one password'

# What the default user may do anyway, each thing by any of its names.
GRANTED = ({b'on'}, {b'~*', b'allkeys'}, {b'&*', b'allchannels'}, {b'+@all', b'allcommands'})
OPTIONAL = {b'sanitize-payload'}


def hash_of(password: bytes) -> bytes:
    from hashlib import sha256

    return sha256(password).hexdigest().encode()


def is_secret(word: bytes, secret: bytes) -> bool:
    """Whether a word is the secret; how long that takes does not tell how much of it is."""
    from hmac import compare_digest

    return compare_digest(word, secret)


def describe_default_user(password: bytes) -> bytes:
    """The default user as a `user` line of a file says it, without that word (acl.c, ACLDescribeUser)."""
    secret = b'sanitize-payload #' + hash_of(password) if password else b'nopass sanitize-payload'
    return b'default on %b ~* &* +@all' % secret


def read_user(words: list[bytes], password: bytes) -> bytes:
    """The default user's password by a `user` line of a file, without that word; `password` is the one so far.

    CONFIG REWRITE of redis-server leaves such a line in every file, so one that describes this server is taken. Raises
    ConfigError for any other, and never repeats a word of it.
    """
    name, *rules = words
    rights = {rule for rule in rules if rule != b'nopass' and rule[:1] not in (b'>', b'#')}
    identities = [rule for rule in rules if rule not in rights]
    if (
        name != b'default'
        or len(identities) != 1
        or not rights <= OPTIONAL.union(*GRANTED)
        or not all(rights & names for names in GRANTED)
    ):
        raise ConfigError(ONE_USER)
    (identity,) = identities
    if identity == b'nopass':
        # redis-server would go by this line alone, and be open to all against the other's word.
        if password:
            raise ConfigError('user default is to need no password, and requirepass says one')
        return b''
    if identity.startswith(b'>'):
        return identity[1:]
    if identity[1:] != hash_of(password):
        raise ConfigError('of the password of user default only a hash is there, and it is not that of requirepass')
    return password
