"""`watchkeeper env`: what a shell needs so that every client speaks to the laptop's cloud."""

from __future__ import annotations

import shlex

from cli.laptop import UNSET, answers, laptop_facts, laptop_variables
from watchkeeper.command.screen import console, errors


def env() -> None:
    """Print variables for the laptop's cloud: eval "$(watchkeeper env)"."""
    facts = laptop_facts()
    variables = laptop_variables(facts)
    lines = [f"unset {' '.join(UNSET)}"]
    lines += [f"export {name}={shlex.quote(value)}" for name, value in variables.items()]
    for line in (*lines, facts["shell"]):
        console.out(line, highlight=False)
    if not answers(variables["AWS_ENDPOINT_URL"]):
        errors.print(f"nothing answers at {variables['AWS_ENDPOINT_URL']} yet: `make up` starts it")
