"""What runs in the measuring process, and what it reports."""
