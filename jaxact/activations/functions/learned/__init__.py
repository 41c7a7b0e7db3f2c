"""Activations with parameters that training learns."""
