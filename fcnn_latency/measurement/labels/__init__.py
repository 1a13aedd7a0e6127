"""Turn readings into labels, and assess the reliability of labels."""
