"""Who calls, what a call needs, and whether the policies of the laptop's AWS give it.

`credentials` knows callers by the keys that they sign with, `operations` reads a request, `needs` names its
permissions, `account` finds the policies, `authority` decides by `localcloud.iam` and `journal` remembers.
`gateway` stands before every HTTP request, `services` before the calls that AWS's services make themselves.
"""
