"""How long a comparison over a long history takes, beside the scoring loop's own way."""
