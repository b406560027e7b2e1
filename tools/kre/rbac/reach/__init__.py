"""Who can become whom, and what of worth can be reached so: identities, hops between them, sinks, shortest chains."""
