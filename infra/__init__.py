"""The AWS resources, as CDK stacks: one stack a file, one capability a construct.

Permissions are granted in the stack that has both sides. What a function does is in `lambdas`, what a state
machine does in `pipeline`; both give their environment and placeholders as types, which are filled here.
"""
