"""`watchkeeper preflight`: can an account and region take a deployment? Asked by calls that only read."""
