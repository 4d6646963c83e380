"""The network guard: what a process may connect to, and which programs it may start."""
