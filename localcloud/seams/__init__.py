"""Everything that the local cloud takes from ministack: a module for each of its services.

Ministack promises nothing about its private names, so they are written here and nowhere else (import-linter
holds that), under names of our own. A `Replaceable` is a function that a part puts its own in place of; the
rest is called as it is. ``tests/contract/localcloud/test_seams.py`` fails first when an upgrade of ministack
moves a name, changes its parameters, or no longer does what a part relies on.
"""
