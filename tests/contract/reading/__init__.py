"""One dialect: every reader of files says the same of the same file. Reader times situation, held by a table.

A new reader is a line of `readers.py`, a new kind of file a line of `situations.py`.
"""
