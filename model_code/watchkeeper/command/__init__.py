"""The part of the `watchkeeper` command that needs no cloud: `score`, `token` and `validate`.

It comes with the installed library, and needs typer and rich. The verbs that deploy, train or talk to AWS are
in the checkout's `cli/`, which builds on this room. Nothing here is packed for jobs and functions.
"""
