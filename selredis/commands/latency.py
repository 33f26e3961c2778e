"""LATENCY: what kept everybody waiting, and how long commands take."""

from collections.abc import Iterable, Iterator

from selredis.commands.command_table import named
from selredis.engine.client import Client
from selredis.engine.command import Argv, Command, all_commands, command
from selredis.engine.help import help_on_subcommands
from selredis.engine.latency import graph, report
from selredis.engine.syntax import about
from selredis.errors import ReplyError, c_string
from selredis.resp.reply import Map, Reply, Verbatim

FLAGS = 'admin noscript loading stale'


@command('LATENCY', arity=-2, since='2.8.13', group='server')
def latency(client: Client, argv: Argv) -> Reply:
    """LATENCY

    Groups the commands about what takes long.
    """
    raise NotImplementedError


@command(
    'LATENCY|DOCTOR',
    arity=2,
    flags=FLAGS,
    since='2.8.13',
    group='server',
    tips=('nondeterministic_output', 'request_policy:all_nodes', 'response_policy:special'),
)
def latency_doctor(client: Client, argv: Argv) -> Reply:
    """LATENCY DOCTOR

    Tells what took long lately, and what may be done about it.

    O(1)
    """
    engine = client.engine
    text = report(engine.latency, engine.config['slowlog-log-slower-than'], engine.now_ms // 1000)
    return Verbatim(text.encode())


@command(
    'LATENCY|GRAPH',
    arity=3,
    flags=FLAGS,
    since='2.8.13',
    group='server',
    tips=('nondeterministic_output', 'request_policy:all_nodes', 'response_policy:special'),
)
def latency_graph(client: Client, argv: Argv) -> Reply:
    """LATENCY GRAPH event

    Draws how long an event took, and when.

    O(1)
    """
    engine = client.engine
    event = engine.latency.events.get(argv[2])
    if event is None:
        raise ReplyError(b"ERR No samples available for event '%b'" % c_string(argv[2]))
    return Verbatim(graph(argv[2], event, engine.now_ms // 1000).encode())


@command(
    'LATENCY|HISTOGRAM',
    arity=-2,
    flags=FLAGS,
    since='7.0.0',
    group='server',
    tips=('nondeterministic_output', 'request_policy:all_nodes', 'response_policy:special'),
    arguments={'command': about('COMMAND')},
)
def latency_histogram(client: Client, argv: Argv) -> Reply:
    """LATENCY HISTOGRAM [command [command ...]]

    Returns for commands how many calls there were, and how many of them took no longer than 1, 2, 4 ... microseconds.

    O(N) where N is the number of commands.
    """
    stats = client.engine.stats
    stats.fold()
    commands = client.engine.commands
    wanted = [named(commands, name) for name in argv[2:]] if len(argv) > 2 else all_commands(commands)
    told = Map()
    for entry in with_subcommands(filter(None, wanted)):
        of_command = stats.of_commands.get(entry)
        if of_command is not None and of_command.calls:
            told[entry.name.encode()] = Map(
                {b'calls': of_command.calls, b'histogram_usec': Map(of_command.histogram().items())}
            )
    return told


def with_subcommands(entries: Iterable[Command]) -> Iterator[Command]:
    for entry in entries:
        yield entry
        yield from entry.subcommands.values()


@command(
    'LATENCY|HISTORY',
    arity=3,
    flags=FLAGS,
    since='2.8.13',
    group='server',
    tips=('nondeterministic_output', 'request_policy:all_nodes', 'response_policy:special'),
)
def latency_history(client: Client, argv: Argv) -> Reply:
    """LATENCY HISTORY event

    Returns when an event took long, Unix times, and how many milliseconds; the worst of each second.

    O(1)
    """
    event = client.engine.latency.events.get(argv[2])
    return [list(sample) for sample in event.samples] if event is not None else []


@command(
    'LATENCY|LATEST',
    arity=2,
    flags=FLAGS,
    since='2.8.13',
    group='server',
    tips=('nondeterministic_output', 'request_policy:all_nodes', 'response_policy:special'),
)
def latency_latest(client: Client, argv: Argv) -> Reply:
    """LATENCY LATEST

    Returns for each event when it took long the last time, how long in milliseconds, and the worst of all times.

    O(1)
    """
    return [[name, *event.samples[-1], event.worst_ms] for name, event in client.engine.latency.events.items()]


@command(
    'LATENCY|RESET',
    arity=-2,
    flags=FLAGS,
    since='2.8.13',
    group='server',
    tips=('request_policy:all_nodes', 'response_policy:all_succeeded'),
)
def latency_reset(client: Client, argv: Argv) -> Reply:
    """LATENCY RESET [event [event ...]]

    Forgets events: all, or those named. Returns how many there were.

    O(1)
    """
    monitor = client.engine.latency
    return sum(map(monitor.forget, argv[2:] or list(monitor.events)))


@command('LATENCY|HELP', arity=2, flags='loading stale', since='2.8.13', group='server')
def latency_help(client: Client, argv: Argv) -> Reply:
    """LATENCY HELP

    Returns this text.

    O(1)
    """
    return help_on_subcommands(b'latency')
