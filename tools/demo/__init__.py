"""The engine without a cluster: recorded alerts, the real responder, and an API server of our own for it to ask."""
