"""Firehose as AWS delivers: buffered, partitioned, compressed, and nothing lost that was acknowledged."""
