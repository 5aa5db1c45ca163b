"""The paper's suture network with its variants, ours, their targets and losses."""
