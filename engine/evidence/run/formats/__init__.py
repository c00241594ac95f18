"""Readers of foreign logs: each turns a file into records of logged numbers; none says what a number means."""
