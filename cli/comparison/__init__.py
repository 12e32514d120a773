"""`watchkeeper backtest --compare`: two versions of a workload file over one history, without a deployment.

What is compared is made in `watchkeeper.backtest`; here files are read, costs added, and results shown.
"""
