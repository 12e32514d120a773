"""What speaks to AWS for every function: clients, stores of plans and releases, the endpoint, and its
errors in our words.

The rules are in `watchkeeper`; what one function alone asks of AWS is beside it.
"""
