"""Activations that are x times a gate, or products like it."""
