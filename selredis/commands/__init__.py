"""The commands, a module for each group. Importing this package enters them all in the command table."""
