"""Tonmeister: plan, audit, train and diagnose the fine-tuning of audio models. Importing this costs nothing."""

__version__ = "0.1.0"
