"""The expected trees are those of COMMAND DOCS (Redis 7.2), but for names that a note would give."""

from collections.abc import Sequence

import pytest

from selredis.engine.syntax import (
    GROUP_NAMES,
    TYPES,
    Argument,
    Documentation,
    Note,
    about,
    docstring_parts,
    parse_syntax,
)

KEY = Argument('key', 'key', key_spec_index=0)


def parse(syntax: str, key_specs: int = 1, types: dict[str, str] | None = None, words: int = 1) -> list[Argument]:
    """Parse a line whose first `words` words are the command's name."""
    return parse_syntax(' '.join(syntax.split()[:words]), syntax, key_specs, types)


def tokens(*names: str) -> tuple[Argument, ...]:
    return tuple(Argument(name.lower(), 'pure-token', name) for name in names)


def choice(name: str, *words: str, optional: bool = False) -> Argument:
    return Argument(name, 'oneof', optional=optional, arguments=tokens(*words))


def outline(arguments: Sequence[Argument]) -> str:
    """The shape of a tree alone: tokens and names, alternatives in (), sequences in {}, flags as ? + and !."""
    shapes = []
    for argument in arguments:
        token = f'{argument.token}=' if argument.token else ''
        inside = outline(argument.arguments)
        shape = {'oneof': f'({inside})', 'block': f'{{{inside}}}', 'pure-token': ''}.get(argument.type, argument.name)
        marks = {'optional': '?', 'multiple': '+', 'multiple_token': '!'}
        shapes.append(token + shape + ''.join(marks[flag] for flag in argument.flags))
    return ' '.join(shapes)


def test_a_command_without_arguments():
    assert parse('DBSIZE', key_specs=0) == []
    assert parse('CLIENT ID', key_specs=0, words=2) == []


def test_types_follow_from_names():
    assert parse('LSET key index element') == [KEY, Argument('index', 'integer'), Argument('element', 'string')]
    assert parse('BRPOP key timeout') == [KEY, Argument('timeout', 'double')]
    assert parse('EXPIREAT key unix-time-seconds') == [KEY, Argument('unix-time-seconds', 'unix-time')]
    assert parse('KEYS pattern', key_specs=0) == [Argument('pattern', 'pattern')]


def test_every_type_of_the_table_is_one_of_redis():
    assert set(TYPES.values()) == {'key', 'integer', 'double', 'pattern', 'unix-time'}


def test_a_command_may_override_a_type():
    assert parse('INCRBYFLOAT key increment', types={'increment': 'double'}) == [KEY, Argument('increment', 'double')]


def test_one_key_spec_takes_all_keys():
    assert parse('LCS key1 key2') == [
        Argument('key1', 'key', key_spec_index=0),
        Argument('key2', 'key', key_spec_index=0),
    ]


def test_two_key_specs_take_a_key_each():
    assert parse('RENAME key newkey', key_specs=2) == [KEY, Argument('newkey', 'key', key_spec_index=1)]


def test_a_repeated_key_counts_once():
    first, second = parse('MOVEALL key [key ...] destination', key_specs=2)
    assert (first.key_spec_index, second.key_spec_index) == (0, 1)


def test_without_key_specs_a_key_is_a_string():
    assert parse('CLUSTER KEYSLOT key', key_specs=0, words=2) == [Argument('key', 'string')]


def test_set():
    assert parse(
        'SET key value [NX | XX] [GET] [EX seconds | PX milliseconds | EXAT unix-time-seconds |'
        ' PXAT unix-time-milliseconds | KEEPTTL]'
    ) == [
        KEY,
        Argument('value', 'string'),
        choice('condition', 'NX', 'XX', optional=True),
        Argument('get', 'pure-token', 'GET', optional=True),
        Argument(
            'expiration',
            'oneof',
            optional=True,
            arguments=(
                Argument('seconds', 'integer', 'EX'),
                Argument('milliseconds', 'integer', 'PX'),
                Argument('unix-time-seconds', 'unix-time', 'EXAT'),
                Argument('unix-time-milliseconds', 'unix-time', 'PXAT'),
                *tokens('KEEPTTL'),
            ),
        ),
    ]


def test_lmpop():
    assert parse('LMPOP numkeys key [key ...] <LEFT | RIGHT> [COUNT count]') == [
        Argument('numkeys', 'integer'),
        Argument('key', 'key', key_spec_index=0, multiple=True),
        choice('where', 'LEFT', 'RIGHT'),
        Argument('count', 'integer', 'COUNT', optional=True),
    ]


def test_blmove():
    assert parse('BLMOVE source destination <LEFT | RIGHT> <LEFT | RIGHT> timeout', key_specs=2) == [
        Argument('source', 'key', key_spec_index=0),
        Argument('destination', 'key', key_spec_index=1),
        choice('where', 'LEFT', 'RIGHT'),
        choice('where', 'LEFT', 'RIGHT'),
        Argument('timeout', 'double'),
    ]


def test_several_arguments_that_repeat_together_are_a_block():
    assert parse('MSET key value [key value ...]') == [
        Argument('data', 'block', multiple=True, arguments=(KEY, Argument('value', 'string')))
    ]


def test_none_or_more():
    assert parse('SUBSCRIBED [channel [channel ...]]') == [Argument('channel', 'string', optional=True, multiple=True)]


def test_a_token_once_before_all_its_arguments():
    assert parse('CLIENT LIST [ID client-id [client-id ...]]', words=2) == [
        Argument('client-id', 'integer', 'ID', optional=True, multiple=True)
    ]


def test_a_token_before_each_of_its_arguments():
    assert parse('CLIENT TRACKING [PREFIX prefix [PREFIX prefix ...]]', words=2) == [
        Argument('prefix', 'string', 'PREFIX', optional=True, multiple=True, multiple_token=True)
    ]


def test_a_token_before_alternatives():
    assert parse('COMMAND LIST [FILTERBY <MODULE module-name | ACLCAT category | PATTERN pattern>]', 0, words=2) == [
        Argument(
            'filterby',
            'oneof',
            'FILTERBY',
            optional=True,
            arguments=(
                Argument('module-name', 'string', 'MODULE'),
                Argument('category', 'string', 'ACLCAT'),
                Argument('pattern', 'pattern', 'PATTERN'),
            ),
        )
    ]


def test_options_within_an_option():
    assert parse('HELLO [protover [AUTH username password] [SETNAME clientname]]', 0) == [
        Argument(
            'protover-auth-clientname',
            'block',
            optional=True,
            arguments=(
                Argument('protover', 'integer'),
                Argument(
                    'auth',
                    'block',
                    'AUTH',
                    optional=True,
                    arguments=(Argument('username', 'string'), Argument('password', 'string')),
                ),
                Argument('clientname', 'string', 'SETNAME', optional=True),
            ),
        )
    ]


def test_a_long_repetition_need_not_be_spelled_again():
    syntax = 'CLIENT KILL <ip:port | <[ID client-id] | [ADDR ip:port] | [SKIPME <YES | NO>]> [...]>'
    assert outline(parse(syntax, words=2)) == '(ip:port (ID=client-id? ADDR=ip:port? SKIPME=(YES= NO=)?)+)'


@pytest.mark.parametrize(
    ('syntax', 'expected'),
    [
        ('COPY source destination [DB destination-db] [REPLACE]', 'source destination DB=destination-db? REPLACE=?'),
        ('LPOS key element [RANK rank] [COUNT num-matches]', 'key element RANK=rank? COUNT=num-matches?'),
        ('LINSERT key <BEFORE | AFTER> pivot element', 'key (BEFORE= AFTER=) pivot element'),
        ('SHUTDOWN [NOSAVE | SAVE] [NOW]', '(NOSAVE= SAVE=)? NOW=?'),
        ('SORT key [LIMIT offset count] [ALPHA]', 'key LIMIT={offset count}? ALPHA=?'),
        ('GEOSEARCH key [COUNT count [ANY]]', 'key {COUNT=count ANY=?}?'),
        ('XREAD [COUNT count] STREAMS key [key ...] id [id ...]', 'COUNT=count? STREAMS={key+ id+}'),
        ('XADD key [<MAXLEN | MINID> [= | ~] limit] <* | id>', 'key {(MAXLEN= MINID=) (== ~=)? limit}? (*= id)'),
        ('BITPOS key bit [start [end [BYTE | BIT]]]', 'key bit {start {end (BYTE= BIT=)?}?}?'),
        ('REPLICAOF <host port | NO ONE>', '({host port} {NO= ONE=})'),
        ('LOADEX path [CONFIG name value [CONFIG name value ...]]', 'path CONFIG={name value}?+!'),
    ],
)
def test_shapes(syntax, expected):
    assert outline(parse(syntax)) == expected


def test_spaces_inside_brackets_mean_nothing():
    assert parse('GET <  a|b >[ c ]') == parse('GET <a | b> [c]')


@pytest.mark.parametrize(
    ('syntax', 'reason'),
    [
        ('GETS key', 'not the syntax of GET'),
        ('GET [key', "no ']'"),
        ('GET <key]', "'\\]' without its counterpart"),
        ('GET key>', "'>' without its counterpart"),
        ('GET key | value', r"misplaced '\|'"),
        ('GET key ...', r"misplaced '\.\.\.'"),
        ('GET <key ...>', r"misplaced '\.\.\.'"),
        ('GET [key ...]', 'does not repeat'),
        ('GET key [value ...]', 'does not repeat'),
        ('GET [...]', 'does not repeat'),
        ('GET []', 'nothing between'),
        ('GET <a | >', 'nothing between'),
    ],
)
def test_a_line_that_is_not_well_formed_names_its_fault(syntax, reason):
    with pytest.raises(ValueError, match=reason):
        parse_syntax('GET', syntax, 1)


def test_docstring_parts():
    assert docstring_parts(
        """LPOS key element [RANK rank]
               [COUNT num-matches]

        Finds an element,
        and tells where.

        A paragraph for readers of the source.

        O(N) for a list
        of N elements.
        """
    ) == Documentation(
        syntax='LPOS key element [RANK rank] [COUNT num-matches]',
        summary='Finds an element, and tells where.',
        complexity='O(N) for a list of N elements.',
    )


def test_summary_and_complexity_may_be_absent():
    assert docstring_parts('TIME') == Documentation('TIME', '', '')
    assert docstring_parts('TIME\n\nTells the time.\n') == Documentation('TIME', 'Tells the time.', '')
    assert docstring_parts('TIME\n\nO(1)\n') == Documentation('TIME', '', 'O(1)')


# Notes: what the line does not tell.


def noted(syntax: str, **notes: Note) -> list[Argument]:
    return parse_syntax(syntax.split(maxsplit=1)[0], syntax, 1, None, notes)


def test_a_note_names_and_dates_an_argument():
    get, order = noted(
        'X [GET pattern] [OLD | NEW]', GET=about('get-pattern', key_spec=0, since='2.0.0'), NEW=about('n')
    )
    assert get == Argument('get-pattern', 'pattern', 'GET', 0, optional=True, display_text='pattern', since='2.0.0')
    assert [part.name for part in order.arguments] == ['old', 'n']
    assert [part.display_text for part in order.arguments] == ['', '']


def test_a_note_on_what_occurs_twice_has_a_name_for_each():
    assert [argument.name for argument in noted('X <A | B> <A | B> <A | B>', **{'a-b': about('one', 'other')})] == [
        'one',
        'other',
        'other',
    ]


def test_a_note_on_nothing_is_a_mistake():
    with pytest.raises(ValueError, match="notes on what is not there, \\['typo'\\]"):
        noted('X [GET]', typo=about('get'))


def test_names_of_groups_may_be_overridden():
    assert 'left-right' in GROUP_NAMES
    (end,) = noted('X <LEFT | RIGHT>', **{'left-right': about('wherefrom', deprecated='3.0.0')})
    assert (end.name, end.deprecated_since) == ('wherefrom', '3.0.0')
