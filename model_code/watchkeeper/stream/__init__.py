"""The step of the scoring loop, pure: what an object of telemetry does to the shelves of a workload.

A shelf is up to 1,024 series that lie together; its page is all that the loop keeps of them. Reading pages,
asking endpoints and writing what comes out is the business of the hosts.
"""
