"""The laptop's AWS: ministack with our own parts and process runners, behind one loopback gateway."""
