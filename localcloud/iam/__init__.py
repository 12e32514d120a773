"""AWS's evaluation of permissions: `conditions` and `policies` match one statement, `evaluation` decides."""
