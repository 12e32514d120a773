"""A model's way: the run that trains it, the manifest in its artifact, the release that serves it.

Documents of other kinds of workload are in their kind's room; `watchkeeper.kinds` reads any of them.
"""
