"""The state machines, and how code reaches what they start.

A state is made here; the function behind it is in `lambdas/steps`, the job in `model_code/containers`. No AWS
API is called: definitions and archives are files, which `infra` deploys.
"""
