"""One module per family. A rule is a pure function from a Bundle to what is wrong with it; its page says why."""
