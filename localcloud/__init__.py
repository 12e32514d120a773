"""The laptop's AWS: ministack with our own parts and process runners, behind one loopback gateway.

It serves APIs and knows nothing of the product; the product does not know that it runs here. What is real,
simulated and refused is in COVERAGE.md.
"""
