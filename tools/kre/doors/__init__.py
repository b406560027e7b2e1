"""One module per outside thing. Everything else is given what it needs and touches nothing."""
