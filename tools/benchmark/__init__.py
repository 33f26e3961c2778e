"""The benchmark behind tools/bench.py: two servers, the same loads, one run.

How it measures:
- Both servers are started here, on free ports of the loopback, in directories of their own, and live side by side.
  A sample of one is followed by the same sample of the other, and who goes first alternates from round to round, so
  that whatever else the machine does meets both alike. What is compared is the ratio within a round; the table shows
  the median of the rounds' ratios and their range.
- CPU time is the server's own (user and system, in nanoseconds from /proc), so it holds even where the load generator
  is the bottleneck, as redis-benchmark is without pipelining.
- redis-benchmark makes the load of the speed section. The other sections bring their own generators, and say in the
  table how busy or how late those were: a generator at 100 % has measured itself.
- Goals stand beside the numbers. Nothing is asserted: the exit code tells only whether everything could be measured.

The files: `servers` starts and watches a server, `wire` speaks RESP to it, `children` runs a part of a load in a
process of its own, `report` holds samples and prints them, `scale` has the sizes of a full and of a quick run; then
one file a section.
"""
