"""Counters that INFO tells and CONFIG RESETSTAT sets back."""


class Stats:
    """What the server has done since its start or the last reset. Bytes and connections are the driver's to count."""

    __slots__ = (
        'commands',
        'connections',
        'errors',
        'input_bytes',
        'output_bytes',
        'output_limit_disconnections',
        'query_limit_disconnections',
        'reads',
        'rejected_connections',
        'writes',
    )

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self.commands = 0
        self.connections = 0
        self.errors = 0
        self.input_bytes = 0
        self.output_bytes = 0
        self.reads = 0
        self.writes = 0
        self.rejected_connections = 0
        self.query_limit_disconnections = 0
        self.output_limit_disconnections = 0


class Deployment:
    """What the driver tells of how the server was started; INFO shows it."""

    __slots__ = ('config_file', 'executable', 'multiplexing_api', 'tcp_port')

    def __init__(self) -> None:
        self.tcp_port = 0
        self.config_file = ''
        self.executable = ''
        self.multiplexing_api = ''
