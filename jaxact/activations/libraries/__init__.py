"""What activations are called in other libraries."""
