"""The explain job: SageMaker Clarify's analysis configuration in, Clarify's files out, without Clarify.

`io` reads configuration, data and model, `shap` and `bias` analyse, `measures` are their formulas,
`report` writes. What a workflow asks of the job is in `watchkeeper.regression`; charts are drawn by
`watchkeeper.charts`.
"""
