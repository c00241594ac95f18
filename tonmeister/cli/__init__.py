"""The command line, one command a file; imports nothing until a command is called."""
