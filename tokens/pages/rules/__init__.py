"""The section IP Rules."""
