"""The explain job: SageMaker Clarify's analysis configuration in, Clarify's files out, without Clarify."""
