"""The anomaly service's state machines: train, valid, infer.

An execution's input is `watchkeeper.service.tasks.TaskInput`. The machines write the request's status,
progress, results and measures themselves. They catch no failure: an execution that fails, or is ended from
outside, is told to `close_task`, which gives its request the readable reason; one place does it for all.
"""
