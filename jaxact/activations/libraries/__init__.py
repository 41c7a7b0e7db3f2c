"""The names of activations in other libraries."""
