"""What the training loop and the scoring loop share: one definition of each rule.

A room for each idea, in an order that import-linter holds: docs/architecture.md. `spec` and `command` are for
the machine of a developer or analyst and need more than numpy; what runs in AWS has all rooms but these two.
"""

__version__ = "0.1.0"
