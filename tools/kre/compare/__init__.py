"""What a change means: two Bundles in, typed differences out. Pure, but that the engine's own code is read anew."""
