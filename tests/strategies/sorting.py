"""SORT, over lists and sets of numbers and words, and keys whose names such elements make."""

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from tests.strategies.words import Argv, any_integer, either, keys, line, mostly, option, small, some_of

LIST = b'list'  # the key of what is never a set

# Short elements, of which patterns make names of keys that there are.
numbers = st.sampled_from((b'1', b'2', b'3', b'10', b'-1', b'2.5', b'1e1', b' 4', b'1', b''))
words = st.sampled_from((b'a', b'b', b'c', b'd', b'B', b'a\0x', b'a\0b'))
elements = st.one_of(
    st.lists(numbers, min_size=1, max_size=6),
    st.lists(mostly(numbers, words, 5), min_size=1, max_size=6),
)
patterns = mostly(
    either(b'*', b'w_*', b'w_*', b'w_*_*', b'#', b'w_*->f', b'w_*->'),
    either(b'nosort', b'', b'w_1', b'w_\0*', b'**', b'#*'),
    4,
)
# Ties by text under BY and LIMIT are in no order that Redis promises.
orders = st.sampled_from(([], [], [b'ASC'], [b'DESC'], [b'desc']))
limits = mostly(option(b'LIMIT', small, small), option(b'LIMIT', any_integer, any_integer), 5)
options = some_of(option(b'GET', patterns), option(b'GET', b'#'), limits, option(b'STORE', keys), option(b'ALPHA'))
options_by = some_of(option(b'GET', patterns), option(b'BY', patterns), option(b'STORE', keys), limits)
options_by_text = some_of(option(b'GET', patterns), option(b'BY', patterns), option(b'ALPHA'), option(b'STORE', keys))
of_a_list = st.one_of(options, options_by, options_by_text)
# A set has no order in the reference: members that are equal to SORT are returned in any, so no part of them is taken.
of_anything = st.one_of(
    some_of(option(b'GET', patterns), limits, option(b'STORE', keys)),
    some_of(option(b'GET', patterns), option(b'BY', either(b'*', b'w_*', b'w_*->f')), limits, option(b'STORE', keys)),
    some_of(option(b'GET', patterns), option(b'BY', either(b'nosort', b'', b'w_1')), option(b'STORE', keys)),
    some_of(option(b'GET', patterns), option(b'ALPHA'), option(b'STORE', keys)),
    some_of(option(b'GET', patterns), option(b'BY', patterns), option(b'ALPHA')),
)
weights = st.builds(lambda element: b'w_' + element, st.one_of(numbers, words))


def commands() -> SearchStrategy[Argv]:
    return st.one_of(
        line(b'RPUSH', keys, elements),
        line(b'SADD', keys, elements),
        line(b'DEL', keys),
        line(b'SET', weights, st.one_of(numbers, words)),
        line(b'HSET', weights, b'f', st.one_of(numbers, words)),
        line(b'SORT', keys, of_anything, orders),
        line(b'SORT', keys, orders, of_anything),
        line(b'LRANGE', keys, b'0', b'-1'),
        line(b'RPUSH', LIST, elements),
        line(b'SORT', LIST, of_a_list, orders),
        line(b'SORT_RO', LIST, of_a_list, orders),
        line(b'SORT_RO', LIST, orders, of_a_list),
        line(b'DEL', LIST),
    )
