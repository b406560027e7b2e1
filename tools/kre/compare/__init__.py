"""What a change means: two Bundles in, typed differences out. Pure but for the engine's own code, which is read anew."""
