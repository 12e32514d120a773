"""The AWS resources, as CDK stacks: one stack a file, one capability a construct."""
