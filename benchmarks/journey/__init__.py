"""How fast telemetry becomes scores and alerts on this laptop: the figures of the scoring loop."""
