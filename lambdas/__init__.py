"""The Lambda functions: a module or a folder each, entry point `handle` beside the typed environment."""
