"""From readings to labels, and how far those can be trusted."""
