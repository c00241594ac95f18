"""Rewrites of training scripts with LibCST: each returns the new text of one file, and writes nothing itself."""
