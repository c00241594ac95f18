"""The part of a script that says what is minimised, by what, and how it is scored; it computes nothing itself."""

from __future__ import annotations

from engine.plan import Plan

from ..optimisation import LION_BETA2
from ..scored import METRICS
from .writing import namespace

LOSSES = {
    "cross-entropy": "cross_entropy",
    "binary-cross-entropy": "binary_cross_entropy",
    "mse": "mean_squared_error",
    "huber": "huber",
    "ccc": "concordance_loss",
}
"""Losses that a script can compute by one call; those of `engine.training.losses`."""
FALLS = {
    "constant": "",
    "warmup-cosine": "_cosine",
    "linear": "_linear",
    "exponential": "_exponential",
    "inverse-square-root": "_inverse_square_root",
    "noam": "_noam",
    "warmup-stable-decay": "_stable_then_decay",
    "cyclic": "_cyclic",
}
"""What comes after the warm-up; functions of `engine.training.schedules`. `plateau` follows the score, not the step."""


_OPTIMISER = '''
def make_optimiser(model: nn.Module) -> torch.optim.Optimizer:
    """Return the optimiser; biases and norms are not decayed."""
    groups = []
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            rate = {rate}
            flat = parameter.ndim <= 1 or name.endswith(".original0")
            groups.append({{"params": [parameter], "lr": rate, "weight_decay": 0.0 if flat else WEIGHT_DECAY}})
    return {optimizer}


def rate_factor(done: int, left: int, warmup: int) -> float:
    """Return the share of the peak rate, `done` steps after the warm-up, of `left`: {schedule}."""
    return {factor}


def make_schedule(optimiser: torch.optim.Optimizer, total_steps: int) -> Any:
    """Return the schedule: a linear rise over the warm-up, then {schedule}."""
    warmup = round(WARMUP_FRACTION * total_steps)
    left = max(total_steps - warmup, 1)
    if warmup < 2:  # a warm-up of one step is no rise: that step has the peak rate
        return torch.optim.lr_scheduler.LambdaLR(
            optimiser, lambda step: rate_factor(step - warmup, left, warmup) if step >= warmup else 1.0
        )
    fall = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda done: rate_factor(done, left, warmup))
    rise = torch.optim.lr_scheduler.LinearLR(optimiser, 1 / warmup, total_iters=warmup - 1)
    return torch.optim.lr_scheduler.SequentialLR(optimiser, [rise, fall], milestones=[warmup])
'''
_SCORES = '''
METRICS = {{{values}}}


def scores_of(outcome: transformers.EvalPrediction) -> dict[str, float]:
    """Return every metric over all clips at once."""
    labels, outputs = outcome.label_ids, outcome.predictions
    predictions = {answers}
    return {{name: metric(labels, predictions) for name, metric in METRICS.items()}}


def report(rows: list[Any], outcome: Any) -> dict[str, Any]:
    """Print and return each metric with its 95 % interval, and the scores of each group."""
    labels, outputs = np.asarray(outcome.label_ids), np.asarray(outcome.predictions)
    predictions = {answers}
    groups = np.array([row.group for row in rows])
    whole = {{
        name: {{"value": metric(labels, predictions), "interval": bootstrap_interval(metric, labels, predictions)}}
        for name, metric in METRICS.items()
    }}
    by_group = {{}}
    for group in np.unique(groups):
        own = groups == group
        by_group[str(group)] = {{name: metric(labels[own], predictions[own]) for name, metric in METRICS.items()}}
    print(json.dumps({{"all": whole, "by_group": by_group}}, indent=1))
    return {{"with_intervals": whole, "by_group": by_group}}


def write_predictions(path: Path, rows: list[Any], outputs: np.ndarray) -> None:
    """Write what the model says about each clip."""
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(["path", "group", "label", "prediction"])
        for row, answer in zip(rows, {answers}, strict=True):
            writer.writerow([row.path, row.group, row.label, {said}])
'''


def loss_part(plan: Plan) -> str:
    """Return what is minimised."""
    training, name = plan.training, LOSSES[plan.training.loss]
    weighted, margins = training.class_balance == "weighted-loss", training.class_balance == "logit-adjustment"
    lines = ['answers = outputs["logits"]']
    before = []
    if weighted or margins:
        before = [
            "counts = torch.bincount(torch.tensor([row.target for row in rows]), minlength=len(CLASSES))",
            "shares = counts / len(rows)",
        ]
    if margins:
        lines += ["if answers.requires_grad:", "    answers = answers + shares.log().to(answers)"]
    if plan.task.type == "classification":
        weights = "class_weights(shares) if answers.requires_grad else None" if weighted else "None"
        smoothing = (
            f"{training.label_smoothing} if answers.requires_grad else 0.0" if training.label_smoothing else "0.0"
        )
        lines.append(f"loss = {name}(answers, labels, {weights}, {smoothing})")
    else:
        before += ["deviation = statistics.pstdev([row.target for row in rows]) or 1.0"]
        lines.append(f"loss = {name}(answers / deviation, labels / deviation)")
    lines.append("return loss if num_items_in_batch is None else loss * len(labels) / num_items_in_batch")
    head = "\n".join(f"    {line}" for line in before)
    body = "\n".join(f"        {line}" for line in lines)
    return f'''
def make_loss(rows: list[Any]) -> Any:
    """Return the loss; weighted by their clips, the passes of one step add up to the whole batch."""
{head}
    def loss(outputs: dict[str, Tensor], labels: Tensor, num_items_in_batch: Any = None) -> Tensor:
{body}

    return loss
'''


def scores_part(plan: Plan) -> str:
    """Return how the answers are scored and written."""
    classes = plan.task.type == "classification"
    functions = METRICS[plan.answer]
    values = ", ".join(f'"{name}": {function.__name__}' for name, function in functions.items())
    answers = "outputs.argmax(-1)" if classes else "outputs"
    said = "CLASSES[int(answer)]" if classes else 'f"{answer:.6g}"'
    return _SCORES.format(values=values, answers=answers, said=said)


def optimiser_part(plan: Plan) -> str:
    """Return the optimiser and its rates."""
    training = plan.training
    betas = f"betas=({training.beta1}, {training.beta2})"
    classes = {
        "adamw": f"torch.optim.AdamW(groups, {betas}, fused=True)",
        "adam": f"torch.optim.Adam(groups, {betas}, fused=True)",
        "sgd": f"torch.optim.SGD(groups, momentum={training.momentum}, fused=True)",
        "adafactor": "torch.optim.Adafactor(groups)",
        "lion": f"Lion(groups, betas=({training.beta1}, {min(training.beta2, LION_BETA2)}))",
    }
    own = plan.adaptation.method in ("partial", "full")
    rate = 'BACKBONE_LEARNING_RATE if name.startswith("backbone.") else LEARNING_RATE' if own else "LEARNING_RATE"
    chosen = namespace(training, "decay_fraction", "cycles")
    factor = f"{FALLS[training.schedule]}({chosen}, done, left, warmup)" if FALLS[training.schedule] else "1.0"
    return _OPTIMISER.format(
        rate=rate, optimizer=classes[training.optimizer], schedule=training.schedule, factor=factor
    )
