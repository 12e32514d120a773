"""Backtests that the console asks for: a workload as it is deployed and as somebody would have it, over what
its telemetry was. `requests.py` is what `lambdas.console` writes and reads, `run_backtest.py` the function.
"""
