"""What becomes of the states of the checks: findings that somebody can act on, ranked, suppressed, compared."""
