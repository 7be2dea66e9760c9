"""From ranked passages to sentences that can be checked, or to a typed silence."""
