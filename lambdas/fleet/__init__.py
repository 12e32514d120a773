"""The fleet of devices: who may join, whose certificate ends when, and who is kept from doing harm.

A device is a thing of AWS IoT, in the group of the fleet, with one certificate; who may join is a list.
"""
