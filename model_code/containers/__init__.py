"""What SageMaker runs: prepare, preprocess, serve, evaluate. No AWS API is called: files in, files out."""
