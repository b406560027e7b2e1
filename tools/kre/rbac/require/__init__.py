"""What every identity needs from what it does, beside what it is granted.

`acts` says what runs as whom and what that asks of the API server; `table` has the row of each operation, `programs`
what the code that a pod runs declares; `verdict` compares with the Roles.
"""
