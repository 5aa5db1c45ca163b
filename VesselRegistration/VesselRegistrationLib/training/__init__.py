"""Training of the networks on streamed simulated data."""
