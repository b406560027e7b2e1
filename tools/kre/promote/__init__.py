"""From environment to environment: what would be promoted, and what stands against it, decided from Git alone."""
