"""The measuring process and its reports."""
