"""The values that one server's parameters have, and what CONFIG GET, CONFIG SET and files do with them.

What parameters there are is declared in config_table.py.
"""

import os
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

from selredis.acl import read_user
from selredis.config_kinds import WRONG_NUMBER_OF_ARGUMENTS
from selredis.config_table import BY_NAME, OUTDATED, PARAMETERS, Parameter
from selredis.errors import ConfigError, ReplyError
from selredis.glob import compile_glob
from selredis.resp.inline import split_words

V = TypeVar('V')

BAD_DIRECTIVE = 'Bad directive or wrong number of arguments'

Hook = Callable[[], None]


class Config:
    """The values of one server. `config['maxclients']` is the value itself, by the parameter's own name.

    `rename_command(name, new_name)` does what a directive of that name asks for; it raises ConfigError.
    """

    def __init__(self, rename_command: Callable[[bytes, bytes], object] | None = None) -> None:
        self._values: dict[str, Any] = {parameter.name: parameter.default for parameter in PARAMETERS}
        self._values['dir'] = working_directory()
        self._hooks: dict[str, list[Hook]] = {}
        self._warnings: list[str] = []
        self._user: list[bytes] | None = None  # words of the last `user` line
        self._rename_command = rename_command

    def __getitem__(self, name: str) -> Any:
        return self._values[name]

    def path(self, name: str) -> str:
        """The file that a parameter names, as an absolute path: a relative one is meant from `dir`. Empty for none."""
        named: str = self._values[name]
        return named and os.path.join(self._values['dir'], named)

    def allows(self, name: str, local: bool) -> bool:
        """What a choice of no, yes and local says about a client, `local` being one that came by loopback or a file."""
        choice: str = self._values[name]
        return choice == 'yes' or (choice == 'local' and local)

    def on_change(self, name: str, hook: Hook) -> None:
        """Have the hook called when CONFIG SET has given the parameter another value.

        It is called once for a whole CONFIG SET, however many of its parameters changed, with all of them in place.
        A hook that raises ConfigError has the old values put back; the hooks called so far are called again for them.
        """
        self._hooks.setdefault(name, []).append(hook)

    def lower_maxclients(self, count: int) -> None:
        """Note that the system cannot give descriptors for more clients than this."""
        self._values['maxclients'] = count

    def take_warnings(self) -> list[str]:
        """What the log should say about values that were set since the last time, a line each."""
        lines, self._warnings = self._warnings, []
        return lines

    # CONFIG GET and CONFIG SET

    def matching(self, patterns: Sequence[bytes]) -> dict[bytes, bytes]:
        """Names and values as CONFIG GET answers them: a plain name as it was asked for, aliases under their own."""
        found: dict[bytes, tuple[bytes, bytes]] = {}
        for pattern in dict.fromkeys(patterns):
            if any(special in pattern for special in (b'[', b'*', b'?')):
                matches = compile_glob(pattern, nocase=True)
                wanted = [name for name, parameter in BY_NAME.items() if not parameter.hidden and matches(name)]
            else:
                wanted = [pattern] if pattern.lower() in BY_NAME else []
            for name in wanted:
                key = name.lower()
                if key not in found:
                    found[key] = (name, self.show(BY_NAME[key]))
        return dict(found.values())

    def set_pairs(self, pairs: Sequence[tuple[bytes, bytes]], local: bool = True) -> None:
        """Set names to texts as CONFIG SET does: all of them or, with a ReplyError, none.

        `local` says whether the client may set protected parameters under `enable-protected-configs local`.
        """
        asked = self._checked(pairs, local)
        before, after = self._values, dict(self._values)
        hooks: dict[Hook, bytes] = {}
        for name, parameter, text in asked:
            words = [text]
            if parameter.kind.many:
                words = text.split(b' ') if text else []
            try:
                value = parameter.kind.read(words, after[parameter.name])
            except ConfigError as error:
                raise failed(name, str(error)) from error
            if value != after[parameter.name] or parameter.names_file:
                after[parameter.name] = value
                for hook in self._hooks.get(parameter.name, ()):
                    hooks.setdefault(hook, name)
        self._values = after
        self._call(hooks, before)
        self._warn(parameter for _, parameter, _ in asked)

    def _checked(self, pairs: Sequence[tuple[bytes, bytes]], local: bool) -> list[tuple[bytes, Parameter[Any], bytes]]:
        """The pairs with the name that an error about the value speaks of, and the parameter it belongs to."""
        asked: dict[bytes, tuple[bytes, Parameter[Any], bytes]] = {}
        for given, text in pairs:
            name = given.lower()
            parameter = BY_NAME.get(name)
            if parameter is None:
                shown = given.partition(b'\0')[0]
                raise ReplyError(b"ERR Unknown option or number of arguments for CONFIG SET - '%b'" % shown)
            if parameter.immutable:
                raise failed(given, "can't set immutable config")
            if parameter.protected and not self.allows('enable-protected-configs', local):
                raise failed(given, "can't set protected config")
            if name in asked:
                raise failed(given, 'duplicate parameter')
            asked[name] = (name, parameter, text)
        return list(asked.values())

    def _call(self, hooks: dict[Hook, bytes], before: dict[str, Any]) -> None:
        """Call the hooks of values just set; when one refuses, put `before` back and call again those that saw more."""
        called: list[Hook] = []
        for hook, name in hooks.items():
            called.append(hook)
            try:
                hook()
            except ConfigError as error:
                self._warnings.append(
                    f'Failed applying new configuration. Possibly related to new {name.decode()} setting. '
                    'Restoring previous settings.'
                )
                self._values = before
                for again in called:
                    try:
                        again()
                    except ConfigError as second:
                        self._warnings.append(f'Failed applying restored failed CONFIG SET command: {second}')
                raise failed(name, str(error)) from error

    # Files and the command line

    def read_directive(self, words: Sequence[bytes]) -> None:
        """Take one directive of a file or one option of the command line, its name first.

        Raises ConfigError with the reason alone: the words may hold a password.
        """
        name, *arguments = words
        name = name.lower()
        parameter = BY_NAME.get(name)
        if parameter is None:
            self._read_other(name, arguments)
            return
        if not parameter.kind.many:
            if len(arguments) != 1:
                raise ConfigError(WRONG_NUMBER_OF_ARGUMENTS)
        elif len(arguments) == 1 and arguments[0]:
            arguments = split_words(arguments[0]) or []
        self._values[parameter.name] = parameter.kind.read_line(arguments, self._values[parameter.name])

    def _read_other(self, name: bytes, arguments: list[bytes]) -> None:
        """Take a directive that is about no parameter."""
        match name, len(arguments):
            case b'rename-command', 2 if self._rename_command is not None:
                self._rename_command(*arguments)
            case b'user', count if count:
                self._user = arguments
            case b'loadmodule', count if count:
                raise ConfigError('modules are not supported')
            case b'sentinel', _:
                raise ConfigError('sentinel directive while not in sentinel mode')
            case _, count if name not in OUTDATED or count != 1:
                raise ConfigError(BAD_DIRECTIVE)

    def finish_reading(self) -> None:
        """All files and options are read: see what they ask for in vain, for take_warnings.

        Raises ConfigError for what the server cannot even pretend to do. Not earlier, for a later word may take it
        back: the file may be one for redis-server, with `--daemonize no` behind it.
        """
        for parameter in PARAMETERS:
            if parameter.refusal and self._values[parameter.name] != parameter.default:
                raise ConfigError(f'{parameter.name} {os.fsdecode(self.show(parameter))}: {parameter.refusal}')
        if self._user is not None:
            self._values['requirepass'] = read_user(self._user, self._values['requirepass'])
        self._warn(PARAMETERS)

    def show(self, parameter: Parameter[V]) -> bytes:
        return parameter.kind.show(self._values[parameter.name])

    def _warn(self, parameters: Iterable[Parameter[Any]]) -> None:
        for parameter in parameters:
            if parameter.unkept and self._values[parameter.name] != parameter.default:
                shown = '(redacted)' if parameter.kind.secret else os.fsdecode(self.show(parameter))
                self._warnings.append(f'WARNING: "{parameter.name} {shown}" has no effect: {parameter.unkept}')


def is_secret(name: bytes) -> bool:
    """Whether this is the name of a parameter whose value nobody should see who only looks on."""
    parameter = BY_NAME.get(name.lower())
    return parameter is not None and parameter.kind.secret


def working_directory() -> str:
    """Where the process stands; empty if that directory has been removed."""
    try:
        return os.getcwd()
    except FileNotFoundError:
        return ''


def failed(name: bytes, reason: str) -> ReplyError:
    text = b"ERR CONFIG SET failed (possibly related to argument '%b')" % name
    return ReplyError(text + (b' - ' + os.fsencode(reason) if reason else b''))
