"""Documents, histories and working contexts as token arrays."""
