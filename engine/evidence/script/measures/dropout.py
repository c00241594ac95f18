"""Whether a network drops activations while it trains, so that it learns less by heart; says what is there, no more."""

from __future__ import annotations

import ast

from knowledge.records import Measured

from ..calls import Call
from ..script import Script
from ..training import training_of
from ..values import Instance, constant
from .answers import absent, there, unknown
from .freezing import measure_freezing
from .layers import used_backbones

_DROPOUT, _NETWORK = "script.dropout", "the file that defines the network"


def measure_dropout(script: Script) -> Measured:
    """Return `script.dropout`: whether activations are dropped while training, in the head or by a setting."""
    calls = [call for call in script.calls("dropout") if _drops(call) and not _left_aside(script, call)]
    calls += [call for call in script.trace if call.main and _set(call)]
    if calls:
        return there(script, _DROPOUT, "there", *(script.of(call) for call in calls[:6]))
    found = [each for each in used_backbones(script) if each.call.main]
    frozen = {fact.name: fact.value for fact in measure_freezing(script).facts}.get("script.freezing") == "whole"
    learning = [each for each in found if not frozen and not each.image]
    if learning:
        why = f"the configuration of the checkpoint that {learning[0].call.name} loads decides its dropout"
        return unknown(script, _DROPOUT, why, "the checkpoint's configuration")
    networks = [call for call in script.trace if call.main and call.name.startswith("torch.nn.Linear")]
    training = training_of(script)
    made = [call for call in script.trace if call.main and call.name.endswith(".__init__") and ":" in call.name
            and isinstance(call.receiver, Instance) and _is_network(call.receiver)]  # fmt: skip
    anchors = [*networks[:8], *script.calls("dense-layer")[:8], *made, *training.optimizers]
    if not (networks or script.calls("dense-layer")):
        return unknown(script, _DROPOUT, "no layer of a network was found", _NETWORK)
    return absent(script, _DROPOUT, "nothing", "a network without dropout", anchors)


def _left_aside(script: Script, made: Call) -> bool:
    """Return whether a layer that a class keeps under a name is asked for nowhere in it, nor in classes from it."""
    source = script.project.sources.get(made.place.path)
    if source is None:
        return False
    holders = [node for node in source.nodes(ast.ClassDef)
               if node.lineno <= made.place.line <= (node.end_lineno or node.lineno)]  # fmt: skip
    kept = [each.attr for node in source.nodes(ast.Assign) if node.lineno == made.place.line
            for each in node.targets if isinstance(each, ast.Attribute)]  # fmt: skip
    if not holders or len(kept) != 1 or "Sequential" in source.lines[made.place.line - 1]:
        return False
    holder = holders[-1]
    derived = any(holder.name in ast.unparse(base) for each in script.project.sources.values()
                  for node in each.nodes(ast.ClassDef) for base in node.bases)  # fmt: skip
    asked = any(isinstance(node, ast.Attribute) and node.attr == kept[0] and isinstance(node.ctx, ast.Load)
                for node in ast.walk(holder))  # fmt: skip
    return not derived and not asked


def _is_network(value: Instance) -> bool:
    return value.cls is not None and any("Module" in base or "Model" in base for base in value.cls.outside())


def _drops(call: Call) -> bool:
    rate = (
        call.argument("p", 1 if "functional" in call.name else 0) or call.argument("rate") or call.argument("dropout")
    )
    if "Transformer" in call.name:
        rate = call.argument("dropout", 3)
    return rate is None or constant(rate) not in (0, 0.0)


def _set(call: Call) -> bool:
    """Return whether a setting of a layer or network switches dropout on."""
    outside = call.name.startswith(
        ("torch.", "transformers.", "peft.", "keras.", "speechbrain.", "torchaudio.", "timm.", "s3prl.")
    )
    return outside and any(
        name.endswith(("dropout", "drop_rate", "dropout_rate", "drop_prob"))
        and constant(value, "set") not in (0, 0.0, None)
        for name, value in call.keywords.items()
    )
