"""Which loads a goal is about, and what counts as met."""

from tools.study.goals import GOALS, verdicts
from tools.study.results import Load, Results, Sample


def load(group, costs, **parameters):
    """A load with the CPU time of each contestant, round by round."""
    samples = [
        Sample(contestant, number, {'cpu_us': value})
        for contestant, values in costs.items()
        for number, value in enumerate(values)
    ]
    return Load(group, group, group, parameters, samples)


def judged(*loads):
    results = Results('test', 'now', True, 'run.py', loads=list(loads))
    return [(verdict.goal.base, verdict.goal.limit, verdict.met, verdict.clear) for verdict in verdicts(results)]


def test_an_unpipelined_load_of_many_connections_has_a_goal_of_its_own():
    taken = load('request', {'selectors': [95], 'asyncio': [100], 'uvloop': [86]}, pipeline=1, connections=50)
    assert judged(taken) == [('asyncio', 1.0, True, True), ('asyncio', 0.9, False, True), ('uvloop', 1.1, True, True)]


def test_one_connection_has_not():
    taken = load('request', {'selectors': [95], 'asyncio': [100]}, pipeline=1, connections=1)
    assert judged(taken) == [('asyncio', 1.0, True, True)]


def test_pipelines_are_compared_with_writing_at_once_too():
    costs = {'selectors': [8.0], 'asyncio-now': [10.0], 'uvloop': [7.9]}
    assert judged(load('request', costs, pipeline=16, connections=50)) == [
        ('asyncio-now', 0.8, True, True),
        ('uvloop', 1.0, False, True),
    ]


def test_connections_that_come_and_go_or_are_idle_count_most():
    for group in ('churn', 'idle'):
        taken = load(group, {'selectors': [79], 'asyncio': [100]})
        assert judged(taken) == [('asyncio', 1.0, True, True), ('asyncio', 0.8, True, True)]


def test_a_limit_within_the_interval_is_not_clear():
    taken = load('fan-out', {'selectors': [90, 99, 120], 'asyncio': [100, 100, 100]})
    assert judged(taken) == [('asyncio', 1.0, True, False)]


def test_a_load_that_one_side_was_not_measured_on_is_left_out():
    assert judged(load('churn', {'selectors': [1]}), load('churn', {'asyncio': [1]})) == []


def test_every_goal_is_about_a_driver():
    assert {goal.base for goal in GOALS} == {'asyncio', 'asyncio-now', 'uvloop'}
