"""Networks of the user's own: a module, of flax.linen or flax.nnx, in the place of jaxact's."""
