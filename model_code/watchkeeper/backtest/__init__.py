"""What a workload file would have said of a history: scores, anomalies and incidents, by the functions of the
scoring loop and with the release that training would make; and how two versions of the file differ.

It needs no deployment. Files are read, and results shown, by `cli`.
"""
