"""The networks as docs/models.md defines them."""
