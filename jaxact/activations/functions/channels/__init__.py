"""Functions that see channels; their record and rules: `jaxact.activations.channel_activation`."""
