"""Trains, measures and exports the models that the MegaContext Playground reads."""
