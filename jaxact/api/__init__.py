"""Comparing, training and using networks from Python: what the commands do, as functions.

`jaxact.compare`, `jaxact.fit` and `jaxact.load` are these.
"""
