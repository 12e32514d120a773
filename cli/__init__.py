"""The verbs of the `watchkeeper` command that deploy, train, replay, ask and remove: a verb a module.

They need the checkout and an AWS account or the laptop, which they find as every AWS client does. Verbs that
need no cloud are in `watchkeeper.command`; what resources there are is read from stack outputs, never from
`infra`.
"""
