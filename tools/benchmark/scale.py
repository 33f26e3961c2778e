"""How much is measured: the sizes of a full run and of a quick one."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Scale:
    """Sizes of every section. The rounds of a section are interleaved between the two servers."""

    speed_rounds: int
    speed_seconds: float  # length of one sample at redis-server's speed

    fanout_rounds: int
    fanout_seconds: float

    load_rounds: int
    connections: int
    settle_seconds: float  # how long servers may tidy up idle connections before they are weighed
    value_megabytes: tuple[int, ...]  # first and last are compared: is the time linear?
    stuck_messages: int  # of 1 KB, to a subscriber that never reads

    tails_rounds: int
    tails_keys: int
    tails_seconds: float

    start_rounds: int
    idle_seconds: float

    memory_rounds: int
    memory_keys: int

    type_rounds: int
    type_seconds: float
    type_elements: int


FULL = Scale(
    speed_rounds=5,
    speed_seconds=1.0,
    fanout_rounds=5,
    fanout_seconds=1.0,
    load_rounds=3,
    connections=10_000,
    settle_seconds=4.0,
    value_megabytes=(10, 50, 100),
    stuck_messages=100_000,
    tails_rounds=2,
    tails_keys=1_000_000,
    tails_seconds=5.0,
    start_rounds=15,
    idle_seconds=5.0,
    memory_rounds=1,
    memory_keys=1_000_000,
    type_rounds=3,
    type_seconds=0.7,
    type_elements=1_000_000,
)

QUICK = Scale(
    speed_rounds=2,
    speed_seconds=0.25,
    fanout_rounds=2,
    fanout_seconds=0.3,
    load_rounds=1,
    connections=2_000,
    settle_seconds=2.0,
    value_megabytes=(10, 50),
    stuck_messages=60_000,
    tails_rounds=1,
    tails_keys=200_000,
    tails_seconds=1.5,
    start_rounds=5,
    idle_seconds=2.0,
    memory_rounds=1,
    memory_keys=200_000,
    type_rounds=2,
    type_seconds=0.25,
    type_elements=100_000,
)
