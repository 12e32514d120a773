"""The fleet of devices: who may join, joining and rotating as a device does it, and the registry."""
