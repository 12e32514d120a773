"""The laptop's AWS: ministack, moto's SageMaker backend and process runners, behind one loopback gateway."""
