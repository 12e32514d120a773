"""Detectors of services that have ended, or that are left, as workload files.

`documents.py` reads files and tells what is in them; a module for each service makes drafts of it; `draft.py`
writes them. What a workload has no key for is told with its reason and what comes nearest. For a developer's
machine, as the room `spec`, whose types say what is allowed.
"""
