"""What Tonmeister knows: vocabulary, rulebooks, tables, remedies and sources, as YAML with its schema and loader.

This package imports nothing of ours and reasons about nothing.
"""
