"""What a trained network costs to use."""
