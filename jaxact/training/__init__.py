"""Training one network with one activation, and the records it leaves."""
