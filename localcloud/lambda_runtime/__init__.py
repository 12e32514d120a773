"""Lambda functions in real ``awslambdaric`` processes, in place of ministack's own executor."""
