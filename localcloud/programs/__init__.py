"""How Python programs are started: under a guard, and as forks of a process that has their libraries."""
