"""How the suture networks are trained."""

from VesselRegistrationLib.training.settings import TrainingSettings

SIMILARITY = "similarity"
FOCAL = "focal"

PAPER_SETTINGS = TrainingSettings(loss=SIMILARITY, learning_rate=1e-3, batch_size=8, steps=2000, weight_decay=0.0,
                                  warmup_steps=0, gradient_clip=0.0, half_size_fraction=0.8, reuse=10, pool_size=256,
                                  first_fill=64, validation_cases=24)
"""Sharan et al., Section 4.2: Adam, 0.001. A stream has no epochs whose plateau could be waited for, so the rate falls
as a cosine. The batch size is not printed."""

OUR_SETTINGS = TrainingSettings(loss=FOCAL, learning_rate=2e-3, batch_size=8, steps=4000, half_size_fraction=0.8,
                                reuse=10, pool_size=256, first_fill=64, validation_cases=24)
"""For 40 minutes of one CPU core: AdamW with warm-up and cosine, most steps on parts of the images."""

FINE_TUNING = TrainingSettings(loss=FOCAL, learning_rate=5e-4, batch_size=8, steps=400, half_size_fraction=0.6,
                               reuse=10, pool_size=128, first_fill=32, validate_every=100, warmup_steps=50)
"""For minutes of one CPU core on 30 to 50 labelled frames, from trained weights."""

PARTS_FRACTION = 2
"""A part of an image is cut to 1/2 of height and width: a fourth of the work, at the same scale."""
