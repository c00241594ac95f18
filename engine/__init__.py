"""The training and measuring engine: turns data sets, run logs and machines into facts, and trains plans.

This is not the inference engine, which is `expert.chaining`. Nothing outside `engine.training` imports torch.
"""
