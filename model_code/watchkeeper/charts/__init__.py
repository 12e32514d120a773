"""Every chart of jobs, command, reports and benchmarks: one palette and one look (`style`), one picture of
values and scores over time (`series`), pictures of how good a model is (`quality`), and of why it answers as
it does (`attribution`).

A function draws numbers that it is given and returns the figure; who calls it decides what is shown and where
it is saved. What reads files, and what picks rows of a table, does not live here. matplotlib is imported when
something is drawn, not when a module is: in a container it is importable only after `use_vendored`, and the
command must not wait for it.
"""
