#!/usr/bin/env python3
"""Checks the imports of selredis/: downward only, standard library only, no asyncio, at the top of the file.

    python3 tools/floors.py          prints what is wrong, one line each; exit code 1 if anything is

The package is built in floors (see FLOORS). A file imports from lower floors and, without going in circles, from its
own. An import that only a type checker sees counts, too: what a file must know of is what it depends on. The circles of
such imports that remain are listed with their reasons (TYPE_CIRCLES).
"""

import ast
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

PACKAGE = 'selredis'

# From the ground up. A name without a slash is a module of selredis/, one with a slash everything in that directory.
FLOORS: tuple[tuple[str, ...], ...] = (
    ('clock', 'errors', 'glob', 'log', 'numeric', 'process', 'timers', 'version'),
    ('resp/',),
    ('values/',),
    ('keyspace/', 'pubsub'),
    ('acl', 'config', 'config_file', 'config_kinds', 'config_rewrite', 'config_table', 'engine/'),
    ('persistence/', 'replication/', 'scripting/'),
    ('commands/',),
    ('__main__', 'cli', 'driver', 'embedded', 'net/', 'server', 'supervision'),
    ('__init__',),
)

FORBIDDEN = {'asyncio'}
THREADS = {'threading', '_thread', 'concurrent', 'multiprocessing'}
MAY_USE_THREADS = {'selredis.embedded'}  # runs a server in a thread of the program that embeds it

# May be imported inside a function: OpenSSL takes 5 MB and some of the time to start, for which only who needs it pays.
LATE = {'hashlib', 'hmac', 'selredis.net.tls', 'selredis.net.tls_connection'}

# Imports for types that close a circle, and why they stay.
TYPE_CIRCLES = {
    (
        'selredis.engine.client',
        'selredis.engine.engine',
    ): 'a handler gets a client and reaches the server by client.engine',
    ('selredis.engine.client_info', 'selredis.engine.client'): "a client's line in the log is its line in CLIENT LIST",
}

WARN_LINES = 650
MAX_LINES = 700


@dataclass(frozen=True)
class Import:
    target: str  # dotted name, of a module or of a name in one
    line: int
    for_types: bool  # under `if TYPE_CHECKING`


@dataclass(frozen=True)
class Module:
    name: str
    path: Path
    lines: int
    imports: tuple[Import, ...]
    hidden: tuple[int, ...]  # lines of imports inside a function or a class


def dotted_name(path: Path, root: Path) -> str:
    """The module's name as it is imported; a package's is its directory."""
    parts = path.relative_to(root).with_suffix('').parts
    return '.'.join(parts[:-1] if parts[-1] == '__init__' else parts)


def imports_of(node: ast.Import | ast.ImportFrom, module: str, is_package: bool, for_types: bool) -> Iterator[Import]:
    if isinstance(node, ast.Import):
        for alias in node.names:
            yield Import(alias.name, node.lineno, for_types)
        return
    base = node.module or ''
    if node.level:
        above = module.split('.')
        up = node.level - 1 if is_package else node.level
        base = '.'.join(above[: len(above) - up] + ([node.module] if node.module else []))
    for alias in node.names:
        yield Import(f'{base}.{alias.name}', node.lineno, for_types)


def read_module(path: Path, root: Path) -> Module:
    source = path.read_text(encoding='utf-8')
    name = dotted_name(path, root)
    imports: list[Import] = []
    hidden: list[int] = []

    def visit(node: ast.AST, inside: bool, for_types: bool) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.Import | ast.ImportFrom):
                found = list(imports_of(child, name, path.name == '__init__.py', for_types))
                imports.extend(found)
                if inside and not all(is_late(each.target) for each in found):
                    hidden.append(child.lineno)
            visit(
                child,
                inside or isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef),
                for_types or (isinstance(child, ast.If) and 'TYPE_CHECKING' in ast.unparse(child.test)),
            )

    visit(ast.parse(source, str(path)), inside=False, for_types=False)
    return Module(name, path, len(source.splitlines()), tuple(imports), tuple(hidden))


def is_late(target: str) -> bool:
    """Whether this, or what it is a name of, may be imported late."""
    return target in LATE or target.rpartition('.')[0] in LATE


def floor_of(name: str) -> int | None:
    """The floor of a module of the package, None when the table has no place for it."""
    parts = name.split('.')[1:]
    entry = '__init__' if not parts else parts[0]
    for floor, entries in enumerate(FLOORS):
        if f'{entry}/' in entries or (entry in entries and len(parts) < 2):
            return floor
    return None


def resolve(target: str, names: Iterable[str]) -> str | None:
    """The module of the package that `target` is or is a name of: `selredis.errors.ReplyError` -> `selredis.errors`."""
    while target:
        if target in names:
            return target
        target = target.rpartition('.')[0]
    return None


def find_cycle(edges: dict[str, set[str]]) -> list[str] | None:
    """One circle of imports, its first module repeated at the end."""
    finished: set[str] = set()

    def walk(name: str, trail: list[str]) -> list[str] | None:
        if name in trail:
            return [*trail[trail.index(name) :], name]
        if name in finished:
            return None
        for following in sorted(edges.get(name, ())):
            circle = walk(following, [*trail, name])
            if circle:
                return circle
        finished.add(name)
        return None

    for name in sorted(edges):
        circle = walk(name, [])
        if circle:
            return circle
    return None


def check_import(module: Module, imported: Import, names: Iterable[str]) -> str | None:
    """What is wrong with one import, None if it is in order."""
    top = imported.target.partition('.')[0]
    if top in FORBIDDEN:
        return f'imports {top}: the loop of this server is its own'
    if top in THREADS and module.name not in MAY_USE_THREADS:
        return f'imports {top}: the server is one thread; only {", ".join(sorted(MAY_USE_THREADS))} may'
    if top != PACKAGE:
        return None if top in sys.stdlib_module_names else f'imports {top}, which is not in the standard library'
    target = resolve(imported.target, names)
    if target is None:
        return f'imports {imported.target}, which does not exist'
    own, other = floor_of(module.name), floor_of(target)
    if own is not None and other is not None and other > own:
        return f'floor {own} imports upward: {target} is on floor {other}'
    return None


def check(root: Path) -> tuple[list[str], list[str]]:
    """Look at every file of root/selredis; returns (faults, warnings), a line of text each."""
    modules = [read_module(path, root) for path in sorted((root / PACKAGE).rglob('*.py'))]
    names = {module.name for module in modules}
    faults: list[str] = []
    warnings: list[str] = []
    edges: dict[str, set[str]] = {}
    if not modules:
        faults.append(f'{PACKAGE}: no files there')
    for module in modules:
        where = module.path.relative_to(root).as_posix()
        if floor_of(module.name) is None:
            faults.append(f'{where}: give it a floor (FLOORS in tools/floors.py)')
        faults.extend(f'{where}:{line}: an import inside a function or class' for line in module.hidden)
        for imported in module.imports:
            wrong = check_import(module, imported, names)
            if wrong:
                faults.append(f'{where}:{imported.line}: {wrong}')
                continue
            target = resolve(imported.target, names)
            if target is not None and target != module.name:
                if imported.for_types and (module.name, target) in TYPE_CIRCLES:
                    continue
                edges.setdefault(module.name, set()).add(target)
        if module.lines > MAX_LINES:
            faults.append(f'{where}: {module.lines} lines, more than {MAX_LINES}: split it by subject')
        elif module.lines > WARN_LINES:
            warnings.append(f'{where}: {module.lines} lines: it asks to be split by subject')
    circle = find_cycle(edges)
    if circle:
        faults.append('imports go in a circle: ' + ' -> '.join(circle))
    return faults, warnings


def main() -> int:
    root = Path(__file__).resolve().parent.parent
    faults, warnings = check(root)
    for line in warnings:
        print(f'warning: {line}')
    for line in faults:
        print(line)
    print(f'floors: {len(faults)} faults' if faults else 'floors: every import goes down')
    return 1 if faults else 0


if __name__ == '__main__':
    sys.exit(main())
