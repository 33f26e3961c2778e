"""How one client tracks the keys that it reads (CLIENT TRACKING)."""

from selredis.engine.command import Argv


class Tracking:
    """How one client tracks. `redirect`: the id of the client that gets its invalidations, or 0.

    `caching`: CLIENT CACHING has spoken about the command that comes next, or the transaction. `broken`: the client
    that was to be told is gone.
    """

    __slots__ = ('bcast', 'broken', 'caching', 'noloop', 'optin', 'optout', 'prefix_bytes', 'prefixes', 'redirect')

    def __init__(
        self,
        *,
        redirect: int = 0,
        bcast: bool = False,
        optin: bool = False,
        optout: bool = False,
        noloop: bool = False,
    ) -> None:
        self.redirect = redirect
        self.bcast = bcast
        self.optin = optin
        self.optout = optout
        self.noloop = noloop
        self.caching = False
        self.broken = False
        self.prefixes: dict[bytes, None] = {}
        self.prefix_bytes = 0  # their length

    @property
    def remembers(self) -> bool:
        """Whether what the client reads now is remembered."""
        if self.optin:
            return self.caching
        return not (self.bcast or (self.optout and self.caching))

    def end_of_command(self, in_transaction: bool, argv: Argv) -> None:
        """End the effect of CLIENT CACHING, which is on one command that isn't CLIENT itself, or on a transaction."""
        if self.caching and not in_transaction and argv[0].lower() != b'client':
            self.caching = False
