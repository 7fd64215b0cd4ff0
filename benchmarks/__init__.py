"""How fast the package is, always as a ratio to something known, measured in the same run."""
