#!/usr/bin/env python3
"""Writes the replies of redis-server into transcripts, keeping their commands, comments and directives.

    python3 tools/record.py lists/lpush ...     tests/transcripts/lists/lpush.txt ...
    python3 tools/record.py --all
    python3 tools/record.py --check --all       change nothing; exit code 1 if a transcript is not as recorded

Replies under `@ reference-differs`, `@ since` and `@ like` are the author's and stay as they are.
"""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.harness.servers import ReferenceServer
from tests.harness.stage import SocketStage
from tests.harness.transcript import (
    Observed,
    Protocol,
    Transcript,
    TranscriptError,
    all_paths,
    as_resp3,
    as_text,
    format_block,
    matches,
    name_of,
    ordered,
    path_of,
    read,
    write,
)


def play(server: ReferenceServer, transcript: Transcript, protocol: Protocol) -> list[Observed]:
    stage = SocketStage(server.address, transcript, protocol)
    try:
        return [ordered(step, stage.play(step, None)) for step in transcript.steps]
    finally:
        stage.close()


def record(server: ReferenceServer, transcript: Transcript) -> list[str]:
    """Fill in the replies; returns what the author should know, a line of text each."""
    runs = {protocol: play(server, transcript, protocol) for protocol in transcript.protocols}
    again = play(server, transcript, transcript.protocols[0])
    remarks: list[str] = []
    for index, step in enumerate(transcript.steps):
        where = f'{name_of(transcript.path)}.txt:{step.line_number}: {step.said}'
        observed = {protocol: replies[index] for protocol, replies in runs.items()}
        received = {protocol: as_text(replies, protocol) for protocol, replies in observed.items()}
        if step.by_hand:
            for protocol, texts in received.items():
                fits = matches(step, step.expected(protocol), texts)
                if fits != ('like' in step.directives):
                    verb = 'gives the same' if fits else 'does not fit'
                    remarks.append(f'{where}: the reference {verb} in RESP{protocol}: {texts}')
            continue
        first, *others = transcript.protocols
        if as_text(again[index], first) != received[first]:
            remarks.append(f'{where}: differs from run to run; @ unordered or @ like may help')
        step.block = format_block(observed[first], step.client)
        step.block_resp3 = None
        if others and received[3] != as_resp3(received[2]):
            step.block_resp3 = format_block(observed[3], step.client)
    return remarks


def main() -> int:
    parser = argparse.ArgumentParser(description='Write the replies of redis-server into transcripts.')
    parser.add_argument('names', nargs='*', help='as lists/lpush')
    parser.add_argument('--all', action='store_true')
    parser.add_argument('--check', action='store_true', help='write nothing, exit code 1 if anything would change')
    options = parser.parse_args()
    paths = all_paths() if options.all else [path_of(name) for name in options.names]
    if not paths:
        parser.error('which transcripts?')
    changed = 0
    with ReferenceServer() as server:
        for path in paths:
            try:
                transcript = read(path)
            except (OSError, TranscriptError) as error:
                print(error, file=sys.stderr)
                return 1
            for remark in record(server, transcript):
                print(remark)
            text = write(transcript)
            if text != path.read_text(encoding='utf-8'):
                changed += 1
                print(f'{"differs" if options.check else "written"}: {name_of(path)}')
                if not options.check:
                    path.write_text(text, encoding='utf-8')
    return 1 if options.check and changed else 0


if __name__ == '__main__':
    sys.exit(main())
