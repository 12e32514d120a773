"""`watchkeeper demo`: deploy, train, publish and show, with the report that it leaves.

Every step is a verb of the command or a client of AWS; nothing here is a second way of doing it.
"""
