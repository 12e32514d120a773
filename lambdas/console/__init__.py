"""The API behind the console, under `/watch`: what is watched, incidents, series, runs, and what people do.

Its routes read through ports in `effects.py`; the rules are those of the shared package and of the rooms that
the command's verbs call, too. Who may do what is in `access.py`.
"""
