"""Training of the suture networks on simulated frames, with the training loop of VesselRegistrationLib."""
