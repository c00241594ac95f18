"""Lets training loops of others write the log that `tonmeister diagnose` and `tonmeister watch` read best."""
