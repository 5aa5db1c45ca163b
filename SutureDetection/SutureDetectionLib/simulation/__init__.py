"""Seeded mitral valve endoscopy with known truth: valve, stitches, instruments, light, camera faults."""
