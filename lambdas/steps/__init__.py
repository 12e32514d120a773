"""The small steps of the workflows, one a module; `close_task` looks after executions that ended badly."""
