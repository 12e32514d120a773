"""How long a synthesis takes, and how large what it writes is, by the number of workloads."""
