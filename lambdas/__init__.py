"""The Lambda functions: one folder each, entry point `lambdas.NAME.handler.handle`."""
