"""The harbour world: its words, relations, wording and held-out parts."""
