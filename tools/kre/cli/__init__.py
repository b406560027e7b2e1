"""The command line: one module a command. The only layer that prints, asks the terminal, or ends the program."""
