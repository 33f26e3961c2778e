"""Which loads a run has: all of them, or small ones for a first impression."""

from tools.study.loads import (
    KILOBYTE,
    MEGABYTE,
    Asked,
    Benchmarked,
    Idle,
    Kind,
    Paced,
    SlowSubscriber,
    churn,
    fan_out,
    handing_off,
)

GROUPS = ('request', 'fan-out', 'hand-off', 'churn', 'idle', 'slow', 'schedule')
COMMANDS = ('PING', 'SET', 'GET', 'LPUSH', 'RPOP')
ROUNDS, MAIN_ROUNDS = 5, 7
SECONDS = 0.6  # of load in a sample
IDLE_CONNECTIONS, QUICK_IDLE_CONNECTIONS = 10_000, 1_000


def full(idle_connections: int) -> list[Kind]:
    """About half an hour. `idle_connections`: 10,000, or as many as the system lets there be."""
    many = min(5_000, idle_connections)
    return [
        *(
            Benchmarked(command, 50, pipeline, 3, MAIN_ROUNDS, SECONDS)
            for pipeline in (1, 16, 128)
            for command in COMMANDS
        ),
        *(Benchmarked(command, 1, 1, 3, ROUNDS, SECONDS) for command in COMMANDS),
        *(Asked(command, connections, ROUNDS, SECONDS) for connections in (500, many) for command in COMMANDS),
        *(
            Benchmarked(command, 50, pipeline, KILOBYTE, ROUNDS, SECONDS)
            for pipeline in (1, 16, 128)
            for command in ('SET', 'GET')
        ),
        *(Benchmarked(command, 5, 1, MEGABYTE, ROUNDS, SECONDS) for command in ('SET', 'GET')),
        *(fan_out(subscribers, MAIN_ROUNDS, SECONDS) for subscribers in (1, 100, 1_000)),
        *(handing_off(waiters, MAIN_ROUNDS, SECONDS) for waiters in (1, 100, 1_000)),
        churn(50, MAIN_ROUNDS, SECONDS),
        Idle(idle_connections, ROUNDS, 1.0),
        SlowSubscriber(2_000, 10, ROUNDS, 2.0),
        Paced(4_000, 50, 1, ROUNDS, 2.0),
        Paced(8_000, 50, 1, ROUNDS, 2.0),
        Paced(32_000, 50, 16, ROUNDS, 2.0),
    ]


def quick(idle_connections: int) -> list[Kind]:
    """About a minute: every group, at a small size."""
    seconds, keys = 0.15, 10_000
    return [
        *(Benchmarked(command, 50, 1, 3, 2, seconds, keys) for command in ('PING', 'SET', 'GET')),
        *(Benchmarked(command, 50, 16, 3, 2, seconds, keys) for command in ('GET', 'LPUSH', 'RPOP')),
        Benchmarked('GET', 50, 128, 3, 2, seconds, keys),
        Asked('GET', 500, 2, seconds),
        *(fan_out(subscribers, 2, seconds) for subscribers in (1, 100)),
        *(handing_off(waiters, 2, seconds) for waiters in (1, 100)),
        churn(50, 2, seconds),
        Idle(min(QUICK_IDLE_CONNECTIONS, idle_connections), 1, 0.2),
        SlowSubscriber(2_000, 10, 1, 0.5),
        Paced(4_000, 50, 1, 2, 0.3),
    ]
