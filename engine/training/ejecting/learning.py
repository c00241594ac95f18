"""What learns in a script, for the parts of it that have to agree on that."""

from __future__ import annotations

from engine.plan import Plan


def has_adapters(plan: Plan) -> bool:
    """Say whether low-rank adapters learn."""
    return plan.adaptation.method in ("lora", "dora")


def has_own_attention(plan: Plan) -> bool:
    """Say whether the network's own attention would not run the adapters, so that ours takes its place."""
    return plan.backbone.name == "wavlm" and has_adapters(plan)


def is_taught(plan: Plan) -> bool:
    """Say whether a first stage has taught the backbone, which stays as it is from then on."""
    return plan.training.stages == "audioconfit"


def learns_by_itself(plan: Plan) -> bool:
    """Say whether weights of the backbone learn, which have a rate of their own."""
    return plan.adaptation.method in ("partial", "full") and not is_taught(plan)
