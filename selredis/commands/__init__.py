"""The commands, a module for each group. Importing this package enters them all in the command table."""

from selredis.commands import client_tracking as client_tracking
from selredis.commands import clients as clients
from selredis.commands import command_table as command_table
from selredis.commands import config as config
from selredis.commands import connection as connection
from selredis.commands import counters as counters
from selredis.commands import databases as databases
from selredis.commands import debug as debug
from selredis.commands import expiry as expiry
from selredis.commands import info as info
from selredis.commands import keys as keys
from selredis.commands import latency as latency
from selredis.commands import lcs as lcs
from selredis.commands import lists as lists
from selredis.commands import lists_blocking as lists_blocking
from selredis.commands import memory as memory
from selredis.commands import monitor as monitor
from selredis.commands import objects as objects
from selredis.commands import pubsub as pubsub
from selredis.commands import scan as scan
from selredis.commands import server as server
from selredis.commands import slowlog as slowlog
from selredis.commands import sort as sort
from selredis.commands import strings as strings
from selredis.commands import transactions as transactions
