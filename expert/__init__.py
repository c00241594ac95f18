"""How Tonmeister reasons: facts, forward chaining, decisions, findings, remedies, explanations and consultations.

The inference engine is `expert.chaining`; the training and measuring engine is the package `engine`.
"""
