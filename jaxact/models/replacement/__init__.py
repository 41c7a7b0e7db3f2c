"""Another activation in a network that has no field for one."""
