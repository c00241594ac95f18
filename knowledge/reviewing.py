"""The form of what the review knows of a check beyond its rules: why it matters, where it is done well, what mends it.

Judges nothing: whether a script does it stands in the rules.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from .schema import Document, Texts

Dimension = Literal["problem", "data", "backbone", "arch", "train", "eval", "repro", "life", "interp"]
DIMENSIONS: dict[Dimension, str] = {
    "problem": "Problem setup",
    "data": "Data",
    "backbone": "Backbone and features",
    "arch": "Architecture",
    "train": "Training",
    "eval": "Evaluation",
    "repro": "Reproducibility",
    "life": "Lifecycle",
    "interp": "Interpretability",
}
"""The nine, in the order of the source document, with what a reader calls them."""
Applicability = Literal["safe", "unsafe", "display"]
"""Of a patch. `safe`: nothing but the check changes; `unsafe`: it may change what is learnt, so somebody is asked;
`display`: shown as an example and never applied."""


Subject = Dimension | Literal["stack", "project"]
"""What a page is about: a check of a dimension, a known trap of packages, or the project as a whole."""


class Implementation(Document):
    """Something that exists and does it well."""

    symbol: str
    """Full name, such as `torch.nn.utils.clip_grad_norm_`; of an argument, `transformers.TrainingArguments:bf16`."""
    since: str = ""
    """The first version of the package that has it; empty: longer than anybody uses."""
    url: str = ""
    installed: bool = True
    """False: the package does not come with Tonmeister, so that no test of ours finds the symbol in its source."""

    @property
    def package(self) -> str:
        """The importable package that holds it."""
        return self.symbol.partition(":")[0].partition(".")[0]


class ReviewDocument(Document):
    """One of the checks of a script, or a trap that has no state of its own and is only told where it is met."""

    review: Annotated[str, Field(pattern=r"^[a-z]+\.[a-z0-9_-]+$")]
    """The id of the finding; of a check, its state is the fact `check.<id>`."""
    dimension: Subject
    title: str
    why: str
    """Why it matters for audio models, in general; what it means for one script, its rule says."""
    implementation: tuple[Implementation, ...] = ()
    """Best first; empty where no package does it and the recipe alone shows how."""
    recipe: str = ""
    """The file of the bundled trainer that does it, relative to the repository; empty: it does not."""
    advisory: bool = False
    """Good practice that nearly every script lacks: told in one line, never counted."""
    weight: Annotated[float, Field(gt=0)] = 1
    """How much of a result usually hangs on it, beside others of its severity."""
    confirmed_by: Texts = ()
    """Findings of a data-set audit that show the same fault in the data."""
    told_with: Texts = ()
    """Findings with which this one shares its cause; beside one of them it counts a severity less."""
    tells: Texts = ()
    """Facts that make clear what it means for this script and data set, where they are known."""
    ineffective: Texts = ()
    """Rules and table rows by which it is written and has no effect, rather than absent."""
    ask: str = ""
    """The question to the person when reading does not tell; its answer is present, missing or not-applicable."""
    patch: str = ""
    """The name of what rewrites the script; empty: nothing does."""
    applicability: Applicability = "display"
    example: str = ""
    """A few lines that do it, for a patch that is only shown."""
    source: Texts

    @property
    def is_check(self) -> bool:
        """Whether every script is asked about it; a trap is told only where a script meets it."""
        return self.dimension in DIMENSIONS

    @model_validator(mode="after")
    def _hangs_together(self) -> ReviewDocument:
        if self.review.partition(".")[0] != self.dimension:
            raise ValueError(f"the id of a check starts with its dimension, {self.dimension}")
        if self.applicability != "display" and not self.patch:
            raise ValueError("`applicability` says how a patch is applied, and there is none")
        return self
