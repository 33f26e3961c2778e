"""The study: one engine behind several drivers, measured side by side.

`selredis.Server` drives the engine with the loop over `selectors`; `asyncio_server` drives it with asyncio's protocols
(on asyncio's own loop, or on uvloop) and `streams_server` with a coroutine for each connection. What they share is in
`selredis`: the parser, the commands, what a turn does. What differs is how bytes come and go, so that is what the
figures are about. README.md in this directory tells what was found.

The files: `contestants` says how each server is started, `results` holds what was measured, `run.py` measures and
`report.py` makes a page of it.
"""
