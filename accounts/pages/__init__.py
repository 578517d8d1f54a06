"""The pages of *Profile*, one file per task."""
