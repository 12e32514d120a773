"""How long two versions of a workload take to compare over a long history, beside the scoring loop's own way."""
