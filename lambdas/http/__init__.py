"""What every HTTP API of ours has in common: who calls, the body, refusals as problem documents, OpenAPI."""
