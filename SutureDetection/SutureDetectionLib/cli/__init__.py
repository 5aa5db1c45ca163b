"""The command suture-detection."""
